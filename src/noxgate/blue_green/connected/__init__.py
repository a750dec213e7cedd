"""What pods are connected to: as their configuration names it, and as the servers see it."""
