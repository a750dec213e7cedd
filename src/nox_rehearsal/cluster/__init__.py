"""What lives in the stand-in's cluster: its objects, and the controllers that act on them."""
