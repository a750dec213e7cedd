"""Who is let in, and how others might get in: tokens, doors, states that can be guessed."""
