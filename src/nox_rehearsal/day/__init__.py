"""The release day as it is played: its moments, load tests, backup, the 48 hours."""
