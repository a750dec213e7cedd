"""The command `noxgate`: main, and a file for each command."""
