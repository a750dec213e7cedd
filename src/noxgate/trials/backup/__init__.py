"""Tonight's backup, restored."""
