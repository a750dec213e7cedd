"""Tables of a profile, each read and checked; noxgate.project.profile_values has the single values."""
