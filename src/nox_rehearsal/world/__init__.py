"""A world from its start to its end: processes, folders, ports, and what ends all of them."""
