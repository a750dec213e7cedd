"""The API of single pods, each by a way of its own: before users get there, or since."""
