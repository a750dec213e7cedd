"""How a scratch server is kept running."""
