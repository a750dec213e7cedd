"""NOX's own words for checks: its API, its OAuth providers, its science."""
