"""Drafts of what changes for the next release, as texts: comments and order stay."""
