"""PostgreSQL, read only."""
