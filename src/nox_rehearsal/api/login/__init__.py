"""Users of the reference API: tokens, OAuth, accounts."""
