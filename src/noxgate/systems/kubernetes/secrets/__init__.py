"""What of a Secret is a secret: settings stand in Secrets, too, and passwords stand inside other texts."""
