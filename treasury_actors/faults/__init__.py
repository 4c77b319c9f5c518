"""
Seeded faults of the whole system: the real actors, the real start path, a simulated machine around them.

A seed draws a plan of faults (crashes, kills, a disk that lies, a venue that dawdles, a feed with holes) and
a schedule; the house of `wiring` lives through it on a loop with virtual time; every event it journals is
held to the numbered promises by a fold of its own. The same seed gives the same trace, to the byte.
"""
