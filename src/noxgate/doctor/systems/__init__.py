"""The systems of which more is asked than whether they answer."""
