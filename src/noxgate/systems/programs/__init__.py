"""Programs of the engineer's machine: run in order to look."""
