"""The keys of a profile: what each may be, its default, an example, and what it is for."""
