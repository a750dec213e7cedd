"""The release's migration, rehearsed."""
