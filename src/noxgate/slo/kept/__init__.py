"""Load tests that were made, as they lie in their folder, and whether the application counted them."""
