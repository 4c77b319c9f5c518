"""WETH: the native asset as a token, one for one. Wrapping is the only call that sends ether along."""

from collections.abc import Mapping, Sequence

from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.answers import attempt
from treasury_actors.trading.adapters.evm.erc20 import BALANCE_OF, read_units, topic_address
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, refused
from treasury_actors.trading.adapters.evm.protocol import (
    BlockId,
    Call,
    Decoded,
    Log,
    Reads,
    Settled,
    Undecodable,
)

WRAP = abi.Function(signature="deposit()", selector=bytes.fromhex("d0e30db0"))
UNWRAP = abi.Function(signature="withdraw(uint256)", selector=bytes.fromhex("2e1a7d4d"))
DEPOSIT_TOPIC = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL_TOPIC = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
GAS_WRAP = 80_000
_TOPICS = 2


class Weth:
    """Wraps and unwraps the native asset `native` as `wrapped` at the pinned contract."""

    settles_by_holdings = False

    def __init__(self, *, reads: Reads, contract: str, native: AssetId, wrapped: AssetId) -> None:
        self._reads = reads
        self._contract = abi.address(contract)
        self._native = native
        self._wrapped = wrapped

    def __repr__(self) -> str:
        return f"<Weth {self._contract}>"

    async def quote(self, step: Conversion, units: int, block: BlockId) -> int | Refused:
        """Return `units`: it is one for one, always."""
        del block
        wrapping = self._wraps(step, units)
        return wrapping if isinstance(wrapping, Refused) else units

    async def build(
        self, step: Conversion, units: int, units_out_min: int, *, deadline_s: int, owner: str
    ) -> Call | Refused:
        """Return the call that wraps or unwraps exactly `units`; it benefits its sender, `owner`, alone."""
        del deadline_s, owner
        wrapping = self._wraps(step, units)
        if isinstance(wrapping, Refused):
            return wrapping
        if units < units_out_min:
            return refused(VenueReason.SLIPPAGE, f"brings {units} units, less than {units_out_min}")
        return Call(
            to=self._contract,
            data=WRAP.encode() if wrapping else UNWRAP.encode(units),
            value_wei=units if wrapping else 0,
            gas_limit=GAS_WRAP,
            approval=None,
            units_out_min=units_out_min,
        )

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the call would fail now. WETH9 reverts without a word if the balance is too small."""
        said = await attempt(self._reads, call, owner, block, None)
        if said is None or said.reason is not VenueReason.EMPTY_REVERT or call.value_wei:
            return said
        [units] = UNWRAP.arguments(call.data)
        assert isinstance(units, int), "an amount is decoded as a number"
        held = await read_units(self._reads, self._contract, BALANCE_OF, owner, block=block)
        if units > held:
            return refused(VenueReason.INSUFFICIENT_BALANCE, f"{units} units asked, {held} held")
        return said

    def settle(
        self,
        step: Conversion,
        owner: str,
        logs: Sequence[Log],
        *,
        before: Mapping[AssetId, int],
        after: Mapping[AssetId, int],
    ) -> Settled:
        """Return what the contract's Deposit or Withdrawal log says; ether itself leaves no log."""
        del before, after
        wanted = DEPOSIT_TOPIC if step.target == self._wrapped else WITHDRAWAL_TOPIC
        wallet = abi.address(owner)
        units = sum(
            int.from_bytes(log.data, "big")
            for log in logs
            if log.address.lower() == self._contract
            and len(log.topics) == _TOPICS
            and log.topics[0].lower() == wanted
            and topic_address(log.topics[1]) == wallet
        )
        return Settled(given_units=units, taken_units=units)

    async def holdings(self, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return what `owner` holds, native and wrapped."""
        return {
            self._native: await self._reads.balance_wei(owner, block),
            self._wrapped: await read_units(self._reads, self._contract, BALANCE_OF, owner, block=block),
        }

    def decode(self, data: bytes, value_wei: int = 0) -> Decoded | Undecodable:
        """Return what the calldata, and for wrapping the ether sent along, say."""
        if data == WRAP.selector and value_wei > 0:
            return self._decoded(WRAP, self._native, self._wrapped, value_wei)
        try:
            [units] = UNWRAP.arguments(data)
        except ValueError as problem:
            return Undecodable(detail=f"no call of this house: {problem}")
        if value_wei:
            return Undecodable(detail="an unwrap with ether sent along")
        assert isinstance(units, int), "an amount is decoded as a number"
        return self._decoded(UNWRAP, self._wrapped, self._native, units)

    def _decoded(self, function: abi.Function, source: AssetId, target: AssetId, units: int) -> Decoded:
        """Return the reading of a call; it pays and credits its sender, whom calldata doesn't name."""
        return Decoded(
            function=function.signature,
            source=source,
            target=target,
            recipient=None,
            payer=None,
            units_in=units,
            units_out_min=units,
            deadline_s=None,
        )

    def _wraps(self, step: Conversion, units: int) -> bool | Refused:
        """Say whether a conversion wraps (or unwraps), or that it does neither."""
        if units <= 0:
            return refused(VenueReason.ZERO_AMOUNT, f"{units} units")
        if (step.source, step.target) == (self._native, self._wrapped):
            return True
        if (step.source, step.target) == (self._wrapped, self._native):
            return False
        return refused(VenueReason.UNKNOWN_CONVERSION, step.id)
