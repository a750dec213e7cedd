"""A cluster, who writes into it, and the gate's client of it."""

from tests_self.building.drifted import admin, kube, seen, server

__all__ = ["admin", "kube", "seen", "server"]  # fixtures
