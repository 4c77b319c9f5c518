"""The key that signs on a local chain, where nobody names a keystore."""

from typing import Final

HOUSE_KEY: Final = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"
"""The published key of the node's own account 9: it signs on the local chain, and nowhere else."""
