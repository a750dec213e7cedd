"""A release record with everything filled in, as text."""

GOOD = """
version = "8.0.0"
date = 2025-08-15
on_call = "Ada Byron"
planned_minutes = 50
checklist = "docs/STAGING_VALIDATION_RELEASE_CHECKLIST.md"
channels = ["#ops-alerts", "#nox-releases", "#dev-team"]

[contacts]
on_call = { name = "Ada Byron", telephone = "+44 1632 960001", slack = "@ada" }
devops_lead = { name = "Grace Murray", telephone = "+44 1632 960002", slack = "@grace.m" }
database_administrator = { name = "Edgar Codd", telephone = "(01632) 960-003", slack = "@codd" }
product_owner = { name = "Kathleen Booth", telephone = "01632.960004", slack = "@booth" }

[links]
grafana = "https://grafana.nox.internal/d/release"
sentry = "https://sentry.nox.internal/nox-api/"
elk = "https://elk.nox.internal:5601/app/discover"
wiki = "https://wiki.nox.internal/release/8.0.0"
"""
