"""Web sites and tools: TLS, links, Grafana, Sentry."""
