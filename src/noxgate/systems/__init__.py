"""The systems that checks look at, a room for each."""
