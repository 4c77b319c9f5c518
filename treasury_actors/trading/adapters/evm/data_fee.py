"""
What an L2 of the OP stack adds to a transaction's fee for its bytes on L1.

No field of a transaction bounds it, so it is asked for before and taken off what the gas may cost. The oracle
is a predeploy (`GasPriceOracle`, since Fjord); the exact sum is in the receipt (`l1Fee`).
"""

from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.erc20 import read_units
from treasury_actors.trading.adapters.evm.protocol import Reads

UPPER_BOUND = abi.Function(
    signature="getL1FeeUpperBound(uint256)", selector=bytes.fromhex("f1c7a58b"), returns="(uint256)"
)
ENVELOPE_BYTES = 128
"""What a transaction has beside its calldata, its signature left out: the oracle adds that itself."""


class DataFee:
    """Asks the pinned oracle of one chain."""

    def __init__(self, *, reads: Reads, oracle: str) -> None:
        self._reads = reads
        self._oracle = abi.address(oracle)

    def __repr__(self) -> str:
        return f"<DataFee of {self._oracle}>"

    async def wei_at_most(self, calldata_bytes: int) -> int:
        """Return the most that calldata of this length costs; raise UnreadableContract if nobody says."""
        size = calldata_bytes + ENVELOPE_BYTES
        return await read_units(self._reads, self._oracle, UPPER_BOUND, size, block="latest")
