"""The kinds there are, and the objects that are stored: names, quantities, selectors, lists, watches."""
