"""What the rehearsal's Prometheus is told."""
