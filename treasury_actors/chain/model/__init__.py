"""Pure values and decisions about a chain: what was asked, what came back, what is pinned."""
