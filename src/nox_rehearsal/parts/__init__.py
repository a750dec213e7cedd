"""The servers and files that a world is made of: each started, or written, by a module of its own."""
