"""What the project says: runbook, profiles, release record, waivers, checks."""
