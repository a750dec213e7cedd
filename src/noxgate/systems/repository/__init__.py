"""The release's git repository: its checkout and its remote."""
