"""What expressions of PromQL say, without asking Prometheus."""
