"""What runbook.toml says of the service that is released."""
