"""The sign-off page: the runbook, filled in."""
