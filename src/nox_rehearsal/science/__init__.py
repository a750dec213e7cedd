"""What the reference API computes: with RDKit, xtb and psi4."""
