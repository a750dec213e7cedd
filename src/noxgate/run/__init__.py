"""One run of the checks: its verdict, and the folder that it leaves."""
