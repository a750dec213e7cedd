"""What this machine has, and how it gets the rest: of the standard library alone."""
