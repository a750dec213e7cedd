"""The 48 hours after the switch."""
