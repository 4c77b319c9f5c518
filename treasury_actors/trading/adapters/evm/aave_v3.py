"""
Aave V3: supply and withdraw, with aTokens counted in scaled units, which only a conversion of ours changes.

A supply names the underlying it gives; a withdrawal names the underlying that comes out, never "all": it is
what the scaled units are worth at the newest block, rounded down. The index only grows until the call is
mined, so the call burns at most those units; what interest adds meanwhile stays behind, some units of dust.
Arithmetic: `trading/model/ray.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.answers import attempt
from treasury_actors.trading.adapters.evm.erc20 import BALANCE_OF, Tokens, read_units, topic_address
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, refused
from treasury_actors.trading.adapters.evm.protocol import (
    Approval,
    BlockId,
    Call,
    Decoded,
    Log,
    Reads,
    Settled,
    Undecodable,
)
from treasury_actors.trading.model.ray import ray_divide, scaled_by_supply, withdrawable

SUPPLY = abi.Function(signature="supply(address,uint256,address,uint16)", selector=bytes.fromhex("617ba037"))
WITHDRAW = abi.Function(
    signature="withdraw(address,uint256,address)", selector=bytes.fromhex("69328dec"), returns="(uint256)"
)
INDEX = abi.Function(
    signature="getReserveNormalizedIncome(address)", selector=bytes.fromhex("d15e0053"), returns="(uint256)"
)
SCALED_BALANCE_OF = abi.Function(
    signature="scaledBalanceOf(address)", selector=bytes.fromhex("1da24f3e"), returns="(uint256)"
)
SUPPLY_TOPIC = "0x2b627736bca15cd5381dcf80b0bf11fd197d01a037c52b927a881a10fb73ba61"
WITHDRAW_TOPIC = "0x3115d1449a7b732c986cba18244e897a450f61e1bb8d589cd2e69e6c8924f9f7"
RESERVE_UPDATED_TOPIC = "0x804c9b842b2748a22bb64b345453a3de7ca54a6ca45ce00d415894979e22897a"
GAS_SUPPLY = 450_000
GAS_WITHDRAW = 500_000
NO_REFERRAL = 0
_ROUNDING_UNITS = 1
_INDEX_WORD = 3
_TOPICS_MIN = 2
_UNITS_MAX = 2**128 - 1
_UNITS_MAX = 2**128 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reserve:
    """One reserve and which way a conversion goes."""

    underlying: AssetId
    share: AssetId
    way: Literal["supply", "withdraw"]


class AaveV3:
    """
    Supplies to and withdraws from the pinned reserves of a pinned pool.

    `underlyings` and `shares` are the pinned tokens; `share_of` says which aToken stands for which of them.
    """

    settles_by_holdings = True

    def __init__(
        self,
        *,
        reads: Reads,
        pool: str,
        underlyings: Mapping[AssetId, str],
        shares: Mapping[AssetId, str],
        share_of: Mapping[AssetId, AssetId],
    ) -> None:
        self._reads = reads
        self._pool = abi.address(pool)
        self._underlyings = Tokens(underlyings)
        self._shares = Tokens(shares)
        self._share_of = dict(share_of)
        for underlying, share in self._share_of.items():
            if underlying not in self._underlyings.by_asset or share not in self._shares.by_asset:
                raise ValueError(f"{underlying} or {share} has no pinned address")

    def __repr__(self) -> str:
        return f"<AaveV3 {self._pool}, {len(self._share_of)} reserves>"

    async def quote(self, step: Conversion, units: int, block: BlockId) -> int | Refused:
        """Return the scaled units a supply mints, or the underlying a withdrawal brings, at a block."""
        reserve = self._reserve(step, units)
        if isinstance(reserve, Refused):
            return reserve
        index_ray = await self.index_ray(reserve.underlying, block)
        if reserve.way == "supply":
            return scaled_by_supply(units, index_ray)
        brings = withdrawable(units, index_ray)
        cash = await self._cash(reserve, block)
        if brings > cash:
            return refused(VenueReason.NO_LIQUIDITY, f"{brings} units asked, {cash} in the pool")
        return brings

    async def build(
        self, step: Conversion, units: int, units_out_min: int, *, deadline_s: int, owner: str
    ) -> Call | Refused:
        """
        Return the supply of exactly `units`, or the withdrawal of what `units` scaled are worth now.

        Aave knows no deadline and no minimum: a supply mints at an index that moves by interest alone, and a
        withdrawal brings the exact amount it names or reverts. So the minimum is held to here.
        """
        del deadline_s
        reserve = self._reserve(step, units)
        if isinstance(reserve, Refused):
            return reserve
        token = self._underlyings.by_asset[reserve.underlying]
        index_ray = await self.index_ray(reserve.underlying, "latest")
        brings = (scaled_by_supply if reserve.way == "supply" else withdrawable)(units, index_ray)
        if brings <= 0:
            return refused(VenueReason.ZERO_AMOUNT, f"{units} units bring nothing")
        if brings < units_out_min:
            return refused(VenueReason.SLIPPAGE, f"brings {brings} units, less than {units_out_min}")
        if reserve.way == "withdraw":
            data, gas_limit, approval = WITHDRAW.encode(token, brings, owner), GAS_WITHDRAW, None
        else:
            data, gas_limit = SUPPLY.encode(token, units, owner, NO_REFERRAL), GAS_SUPPLY
            approval = Approval(token=token, spender=self._pool, units=units)
        return Call(
            to=self._pool,
            data=data,
            value_wei=0,
            gas_limit=gas_limit,
            approval=approval,
            units_out_min=units_out_min,
        )

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the call would fail now. A pool short of cash panics; that is named for what it is."""
        if SUPPLY.is_called_by(call.data):
            return await attempt(self._reads, call, owner, block, None)
        said = await attempt(self._reads, call, owner, block, WITHDRAW.returned_units)
        if said is None or said.reason not in (VenueReason.PANIC, VenueReason.INSUFFICIENT_BALANCE):
            return said
        token, asked, _ = WITHDRAW.arguments(call.data)
        assert isinstance(token, str), "a reserve is decoded as an address"
        assert isinstance(asked, int), "an amount is decoded as a number"
        underlying = self._underlyings.by_address[token]
        share = self._share_of[underlying]
        cash = await self._cash(_Reserve(underlying=underlying, share=share, way="withdraw"), block)
        if asked <= cash:
            return said
        return refused(VenueReason.NO_LIQUIDITY, f"{asked} units asked, {cash} in the pool: {said.detail}")

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
        Return what moved: the underlying from the pool's event, the scaled units from the balance's change.

        The change over the block is ours alone only if it is what the receipt's own index says, give or take
        how the pool rounds; in a block where others send us shares, or two of our calls land, the index
        decides, and what others sent is left for reconciliation to find.
        """
        supplying = step.source in self._share_of
        underlying = step.source if supplying else step.target
        share = self._share_of[underlying]
        token = self._underlyings.by_asset[underlying]
        moved, index_ray = self._events(logs, token, abi.address(owner), supplying=supplying)
        scaled = ray_divide(moved, index_ray) if moved else 0
        if share in before and share in after:
            change = (after[share] - before[share]) * (1 if supplying else -1)
            scaled = change if abs(change - scaled) <= _ROUNDING_UNITS else scaled
        if supplying:
            return Settled(given_units=moved, taken_units=scaled)
        return Settled(given_units=scaled, taken_units=moved)

    async def holdings(self, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return the underlyings' balances and the aTokens' scaled ones."""
        held = await self._underlyings.holdings(self._reads, owner, block)
        return held | await self._shares.read_each(self._reads, SCALED_BALANCE_OF, owner, block=block)

    def decode(self, data: bytes, value_wei: int = 0) -> Decoded | Undecodable:
        """Return what the calldata of a supply or a withdrawal says."""
        if value_wei:
            return Undecodable(detail="a call of the pool with ether sent along")
        try:
            return self._decode(data)
        except (KeyError, ValueError) as problem:
            return Undecodable(detail=f"no call of this house: {problem}")

    async def index_ray(self, underlying: AssetId, block: BlockId) -> int:
        """Return the liquidity index at a block: what one scaled unit is in the underlying, times 1e27."""
        token = self._underlyings.by_asset[underlying]
        return await read_units(self._reads, self._pool, INDEX, token, block=block)

    async def _cash(self, reserve: _Reserve, block: BlockId) -> int:
        """Return what the pool has of the underlying to give: the aToken contract's balance."""
        token = self._underlyings.by_asset[reserve.underlying]
        holder = self._shares.by_asset[reserve.share]
        return await read_units(self._reads, token, BALANCE_OF, holder, block=block)

    def _decode(self, data: bytes) -> Decoded | Undecodable:
        """Decode by selector; raise ValueError or KeyError for what isn't pinned."""
        if SUPPLY.is_called_by(data):
            token, units, recipient, referral = SUPPLY.arguments(data)
            if referral != NO_REFERRAL:
                return Undecodable(detail="a supply with a referral code")
        else:
            token, units, recipient = WITHDRAW.arguments(data)
        assert isinstance(token, str), "a reserve is decoded as an address"
        assert isinstance(units, int), "an amount is decoded as a number"
        assert isinstance(recipient, str), "a recipient is decoded as an address"
        if units > _UNITS_MAX:
            return Undecodable(detail="an amount that stands for everything there is")
        underlying = self._underlyings.by_address[token]
        supplying = SUPPLY.is_called_by(data)
        return Decoded(
            function=(SUPPLY if supplying else WITHDRAW).signature,
            source=underlying if supplying else self._share_of[underlying],
            target=self._share_of[underlying] if supplying else underlying,
            recipient=recipient,
            payer=None,
            units_in=units if supplying else None,
            units_out_min=0 if supplying else units,
            deadline_s=None,
        )

    def _events(self, logs: Sequence[Log], token: str, owner: str, *, supplying: bool) -> tuple[int, int]:
        """Return the underlying the pool says was moved for `owner`, and the index it was moved at."""
        wanted = SUPPLY_TOPIC if supplying else WITHDRAW_TOPIC
        moved = index_ray = 0
        for log in logs:
            if log.address.lower() != self._pool or len(log.topics) < _TOPICS_MIN:
                continue
            if topic_address(log.topics[1]) != token:
                continue
            words = [log.data[at : at + abi.WORD] for at in range(0, len(log.data), abi.WORD)]
            if log.topics[0].lower() == RESERVE_UPDATED_TOPIC:
                index_ray = int.from_bytes(words[_INDEX_WORD], "big")
            elif log.topics[0].lower() == wanted and topic_address(log.topics[2]) == owner:
                # The second topic is whose shares they are, and the last word the amount, in both events.
                moved += int.from_bytes(words[-1], "big")
        assert not moved or index_ray, "a reserve that moved says its index in the same receipt"
        return moved, index_ray

    def _reserve(self, step: Conversion, units: int) -> _Reserve | Refused:
        """Return the pinned reserve of a conversion and its way."""
        if units <= 0:
            return refused(VenueReason.ZERO_AMOUNT, f"{units} units")
        if self._share_of.get(step.source) == step.target:
            return _Reserve(underlying=step.source, share=step.target, way="supply")
        if self._share_of.get(step.target) == step.source:
            return _Reserve(underlying=step.target, share=step.source, way="withdraw")
        return refused(VenueReason.UNKNOWN_CONVERSION, step.id)
