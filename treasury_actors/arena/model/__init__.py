"""What the arena decides, as pure functions."""
