"""How a session is opened, and how what the API server answers is read."""
