"""
Uniswap V3: exact-in swaps through its router, over one pool or two, each of a pinned fee tier.

The router itself (`uniswap_routers.py`) holds to recipient, deadline and the least that must come out. It
takes its input by `transferFrom`, so a swap needs an allowance of exactly what it converts. The quote is
QuoterV2's, which runs the pool's own code: good for a size, never for a minimum, which must come from an
independent price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.answers import attempt, units_of
from treasury_actors.trading.adapters.evm.erc20 import Tokens, net_received
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, explain, refused
from treasury_actors.trading.adapters.evm.protocol import (
    Approval,
    BlockId,
    Call,
    Decoded,
    Log,
    Reads,
    Reverted,
    Settled,
    Undecodable,
)
from treasury_actors.trading.adapters.evm.uniswap_routers import NO_PRICE_LIMIT, Router, Swap, pack_path

QUOTE_SINGLE = abi.Function(
    signature="quoteExactInputSingle((address,address,uint256,uint24,uint160))",
    selector=bytes.fromhex("c6a5026a"),
    returns="(uint256,uint160,uint32,uint256)",
)
QUOTE = abi.Function(
    signature="quoteExactInput(bytes,uint256)", selector=bytes.fromhex("cdca1753"), returns="(uint256)"
)
GAS_ONE_POOL = 300_000
GAS_TWO_POOLS = 500_000
"""Some 106,000 and 190,000 are used; the rest is for swaps that cross many ticks."""
_QUOTER_AT_A_LOSS = "Unexpected error"
_HOPS_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRoute:
    """The assets a swap goes through, source first, and the fee tier of each pool between, in 1/100 bps."""

    assets: tuple[AssetId, ...]
    fees_ppm: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for what is no route: also calldata may hold such a path."""
        if not 1 <= len(self.fees_ppm) <= _HOPS_MAX or len(self.assets) != len(self.fees_ppm) + 1:
            raise ValueError(f"{len(self.assets)} assets and {len(self.fees_ppm)} pools: one pool or two")
        if len(dict.fromkeys(self.assets)) != len(self.assets):
            raise ValueError(f"{' > '.join(self.assets)} visits an asset twice")


class UniswapV3:
    """Swaps along pinned routes, one a conversion, in pinned tokens, through a pinned router and quoter."""

    settles_by_holdings = False

    def __init__(
        self,
        *,
        reads: Reads,
        router: str,
        form: Router,
        quoter: str,
        tokens: Mapping[AssetId, str],
        routes: Mapping[ConversionId, SwapRoute],
    ) -> None:
        self._reads = reads
        self._router = abi.address(router)
        self._form = form
        self._quoter = abi.address(quoter)
        self._tokens = Tokens(tokens)
        self._routes = dict(routes)

    def __repr__(self) -> str:
        return f"<UniswapV3 {self._router}, {len(self._routes)} routes>"

    async def quote(self, step: Conversion, units: int, block: BlockId) -> int | Refused:
        """Return what the quoter says the swap brings at a block: the pools' own arithmetic, to the unit."""
        route = self._route(step, units)
        if isinstance(route, Refused):
            return route
        tokens = [self._tokens.by_asset[asset] for asset in route.assets]
        if len(route.fees_ppm) == 1:
            function = QUOTE_SINGLE
            data = function.encode((*tokens, units, route.fees_ppm[0], NO_PRICE_LIMIT))
        else:
            function = QUOTE
            data = function.encode(pack_path(tokens, route.fees_ppm), units)
        answer = await self._reads.call(to=self._quoter, data=data, block=block)
        if isinstance(answer, Reverted):
            said = explain(answer.data, answer.message)
            # No pool: nobody answers. A pool with nothing in it: the quoter has no words for it but these.
            if said.reason is VenueReason.EMPTY_REVERT or said.detail == _QUOTER_AT_A_LOSS:
                return refused(VenueReason.NO_LIQUIDITY, f"{step.id}: no pool, or nothing in it")
            return said
        bought = units_of(function.returned_units, answer)
        return bought if bought != 0 else refused(VenueReason.NO_LIQUIDITY, step.id)

    async def build(
        self, step: Conversion, units: int, units_out_min: int, *, deadline_s: int, owner: str
    ) -> Call | Refused:
        """Return the swap of exactly `units` for at least `units_out_min`, to `owner`, until `deadline_s`."""
        route = self._route(step, units)
        if isinstance(route, Refused):
            return route
        if units_out_min <= 0:
            return refused(VenueReason.SLIPPAGE, "a swap without a minimum takes any price")
        swap = self._swap(route, units, units_out_min, deadline_s=deadline_s, owner=owner)
        return Call(
            to=self._router,
            data=self._form.encode(swap),
            value_wei=0,
            gas_limit=GAS_ONE_POOL if len(route.fees_ppm) == 1 else GAS_TWO_POOLS,
            approval=Approval(token=swap.tokens[0], spender=self._router, units=units),
            units_out_min=units_out_min,
        )

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the swap would fail now; its allowance must stand already, or it says so (`STF`)."""
        return await attempt(self._reads, call, owner, block, self._form.taken_units)

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
        Return what the two tokens' own Transfer logs say was given and taken.

        The balances before and after aren't asked: other transactions of the block move them too.
        """
        del before, after
        wallet = abi.address(owner)
        return Settled(
            given_units=-net_received(logs, self._tokens.by_asset[step.source], wallet),
            taken_units=net_received(logs, self._tokens.by_asset[step.target], wallet),
        )

    async def holdings(self, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return the balance of every token that is swapped here."""
        return await self._tokens.holdings(self._reads, owner, block)

    def decode(self, data: bytes, value_wei: int = 0) -> Decoded | Undecodable:
        """Return what a swap's calldata says; only pinned tokens, and no price limit, are ever built."""
        if value_wei:
            return Undecodable(detail="a swap with ether sent along")
        try:
            swap, signature = self._form.decode(data)
            assets = tuple(self._tokens.by_address[token] for token in swap.tokens)
            route = SwapRoute(assets=assets, fees_ppm=swap.fees_ppm)
        except (KeyError, ValueError) as problem:
            return Undecodable(detail=f"no swap of this house: {problem}")
        if route not in self._routes.values():
            return Undecodable(detail=f"no pinned route: {' > '.join(assets)} at {route.fees_ppm}")
        return Decoded(
            function=signature,
            source=assets[0],
            target=assets[-1],
            recipient=swap.recipient,
            payer=None,
            units_in=swap.units_in,
            units_out_min=swap.units_out_min,
            deadline_s=swap.deadline_s,
        )

    def _route(self, step: Conversion, units: int) -> SwapRoute | Refused:
        """Return the pinned route of a conversion."""
        route = self._routes.get(step.id)
        if route is None or (route.assets[0], route.assets[-1]) != (step.source, step.target):
            return refused(VenueReason.UNKNOWN_CONVERSION, step.id)
        return route if units > 0 else refused(VenueReason.ZERO_AMOUNT, f"{units} units")

    def _swap(self, route: SwapRoute, units: int, units_out_min: int, *, deadline_s: int, owner: str) -> Swap:
        """Return a swap along a route, in addresses."""
        return Swap(
            tokens=tuple(self._tokens.by_asset[asset] for asset in route.assets),
            fees_ppm=route.fees_ppm,
            recipient=owner,
            deadline_s=deadline_s,
            units_in=units,
            units_out_min=units_out_min,
        )
