"""What a line of a log says of itself, and which lines are one event (docs/LOGS.md names every form)."""
