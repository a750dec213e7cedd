"""The Locust engine of the load test: it knows HTTP and WebSocket, and nothing of NOX."""
