"""Prometheus: what it scrapes, its rules, and the key metrics."""
