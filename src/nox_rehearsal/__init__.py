"""The rehearsal: a small NOX world on loopback, its release day, and what may go wrong on it."""
