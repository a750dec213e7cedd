"""What the API server says: its answers, who wrote what, and what it is asked to apply."""
