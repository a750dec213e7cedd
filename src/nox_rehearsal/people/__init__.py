"""Those who use production, and those who sign."""
