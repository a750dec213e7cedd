"""What persons attest: who they are, what their records must hold."""
