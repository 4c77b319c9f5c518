"""
A run on a chain's own frames: paper, where venues are simulated, and live, where they are not.

Owns: which season such a run plays (`season`, `prepared`), the session with its chain (`session`), the feed
and its standing (`frames`), what a house that really trades stands in (`stage`), and what must be shown
before real money (`evidence`). What the process does around it is the daemon's.
"""
