"""
The internal port: what each DeFi protocol can do for the venue on a chain, and the values that pass.

A protocol reads through `Reads`, which is handed in; it holds pinned addresses, signs and sends nothing.
Amounts are integer units; an aToken's are scaled. Every refusal is a value with a name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm.errors import Refused

BlockId: TypeAlias = str
"""`latest`, `pending`, a number in hex, or the 32-byte hash of one block, which a reorg can't swap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """A call reverted. `data` is what the contract said, `message` what the node said of it."""

    data: bytes
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log of a receipt: the contract that emitted it, its topics and its data."""

    address: str
    topics: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The exact allowance a call needs: `spender` may take `units` of `token`, and no more, once."""

    token: str
    spender: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One contract call, complete but for nonce, fees and signature.

    Attributes:
        value_wei: of the chain's native asset, sent along; zero but for wrapping.
        gas_limit: a fixed bound of the kind of call, never an estimate.
        approval: what must be allowed before; None if nothing is taken from the owner by another contract.
        units_out_min: what the call must bring; where the calldata can't say so, `simulate` holds it to this.
    """

    to: str
    data: bytes
    value_wei: int
    gas_limit: int
    approval: Approval | None
    units_out_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """
    What calldata would do, read from its bytes alone, for limits to compare with the intent.

    Attributes:
        function: the signature that is called.
        source, target: the assets given and taken.
        recipient: who gets what is taken; `payer`: whose shares are burnt, where the calldata says.
        units_in: of `source`; None where the calldata does not say (an Aave withdrawal names what comes out).
        units_out_min: of `target`, that the contract itself holds to; 0 where it holds to nothing.
        deadline_s: chain time after which it reverts; None where the contract knows no deadline.
    """

    function: str
    source: AssetId
    target: AssetId
    recipient: str | None
    payer: str | None
    units_in: int | None
    units_out_min: int
    deadline_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """Calldata that this protocol would never build."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a mined conversion really did, to the unit: what of its source it gave, of its target took."""

    given_units: int
    taken_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A plain read of a contract: `data` is its calldata."""

    to: str
    data: bytes


class Reads(Protocol):
    """The reads of a node that a protocol needs."""

    async def views(self, views: Sequence[View], block: BlockId) -> list[bytes | Reverted]:
        """Return what many plain reads return at one block, in their order, in one round trip."""
        ...

    async def call(
        self,
        *,
        to: str,
        data: bytes,
        block: BlockId,
        sender: str | None = None,
        value_wei: int = 0,
        gas: int = 0,
    ) -> bytes | Reverted:
        """Return what a call returns at a block, or how it reverted; `gas` 0 is the node's own bound."""
        ...

    async def balance_wei(self, owner: str, block: BlockId) -> int:
        """Return the native balance of `owner` at a block."""
        ...


class DefiProtocol(Protocol):
    """What the venue asks of a protocol. All of it is idempotent; none of it moves money."""

    @property
    def settles_by_holdings(self) -> bool:
        """Whether `settle` looks at the holdings around the block: where the logs don't say all."""
        ...

    async def quote(self, step: Conversion, units: int, block: BlockId) -> int | Refused:
        """Return the units of `step.target` that `units` of `step.source` would bring at a block."""
        ...

    async def build(
        self, step: Conversion, units: int, units_out_min: int, *, deadline_s: int, owner: str
    ) -> Call | Refused:
        """Return the call that converts exactly `units`, to the benefit of `owner` alone."""
        ...

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the call would fail if `owner` made it now; None if it would do what it promises."""
        ...

    def settle(
        self,
        step: Conversion,
        owner: str,
        logs: Sequence[Log],
        *,
        before: Mapping[AssetId, int],
        after: Mapping[AssetId, int],
    ) -> Settled:
        """
        Return what a successful call did, from the logs of its own receipt.

        `before` and `after` are `holdings` at the receipt's parent block and at its block; empty if not read.
        """
        ...

    async def holdings(self, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return what `owner` holds of each asset this protocol knows, at one block."""
        ...

    def decode(self, data: bytes, value_wei: int = 0) -> Decoded | Undecodable:
        """Return what calldata for this protocol's contract would do, in the one reading its bytes have."""
        ...
