"""What Prometheus is told of a colour: its monitors, its rules, and what of both is there."""
