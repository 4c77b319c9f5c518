"""A chain of our own to rehearse on: the real contracts, moved frame by frame as a season moves."""
