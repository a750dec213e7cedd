"""What commands may be asked; apart from the commands, which take a while to import."""
