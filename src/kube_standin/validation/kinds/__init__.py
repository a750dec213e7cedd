"""What is checked of each kind beside pods."""
