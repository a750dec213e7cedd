"""Which target is meant."""
