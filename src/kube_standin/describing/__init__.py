"""What the server says of itself: discovery, OpenAPI, and what it does not serve."""
