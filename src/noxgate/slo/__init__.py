"""Load tests: ramps, what was measured, and whether it keeps the SLOs."""
