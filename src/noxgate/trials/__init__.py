"""What is tried on this machine before, or in place of, the target."""
