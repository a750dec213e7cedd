"""Which target is meant, and whether it is a rehearsal's."""
