"""What a run says at its end, on a terminal and in the log of a CI server."""
