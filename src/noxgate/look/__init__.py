"""What every look at a system shares: observations, secrets, patience, an HTTP answer."""
