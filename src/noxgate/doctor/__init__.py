"""What a target needs before its checks can look at it: `noxgate doctor --target NAME`."""
