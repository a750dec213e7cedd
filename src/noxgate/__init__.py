"""The engine of the release gate: it knows how to look, to judge and to vouch, and no service."""
