"""
Uniswap V3: exact-in swaps through the original SwapRouter, over one pool or two, each of a pinned fee tier.

The router itself holds to recipient, deadline and the least that must come out. It takes its input by
`transferFrom`, so a swap needs an allowance of exactly what it converts. The quote is QuoterV2's, which runs
the pool's own code: good for a size, never for a minimum, which must come from an independent price.
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

EXACT_INPUT_SINGLE = abi.Function(
    signature="exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    selector=bytes.fromhex("414bf389"),
    returns="(uint256)",
)
EXACT_INPUT = abi.Function(
    signature="exactInput((bytes,address,uint256,uint256,uint256))",
    selector=bytes.fromhex("c04b8d59"),
    returns="(uint256)",
)
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
NO_PRICE_LIMIT = 0
_QUOTER_AT_A_LOSS = "Unexpected error"
_HOPS_MAX = 2
_ADDRESS_BYTES, _FEE_BYTES = 20, 3
_HOP_BYTES = _ADDRESS_BYTES + _FEE_BYTES


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

    def __init__(
        self,
        *,
        reads: Reads,
        router: str,
        quoter: str,
        tokens: Mapping[AssetId, str],
        routes: Mapping[ConversionId, SwapRoute],
    ) -> None:
        self._reads = reads
        self._router = abi.address(router)
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
        if len(route.fees_ppm) == 1:
            source, target = (self._tokens.by_asset[asset] for asset in route.assets)
            function = QUOTE_SINGLE
            data = function.encode((source, target, units, route.fees_ppm[0], NO_PRICE_LIMIT))
        else:
            function = QUOTE
            data = function.encode(self._path(route), units)
        answer = await self._reads.call(to=self._quoter, data=data, block=block)
        if isinstance(answer, Reverted):
            said = explain(answer.data, answer.message)
            # No pool: nobody answers. A pool with nothing in it: the quoter has no words for it but these.
            if said.reason is VenueReason.EMPTY_REVERT or said.detail == _QUOTER_AT_A_LOSS:
                return refused(VenueReason.NO_LIQUIDITY, f"{step.id}: no pool, or nothing in it")
            return said
        bought = units_of(function, answer)
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
        source = self._tokens.by_asset[route.assets[0]]
        if len(route.fees_ppm) == 1:
            target = self._tokens.by_asset[route.assets[1]]
            [fee_ppm] = route.fees_ppm
            data = EXACT_INPUT_SINGLE.encode(
                (source, target, fee_ppm, owner, deadline_s, units, units_out_min, NO_PRICE_LIMIT)
            )
        else:
            data = EXACT_INPUT.encode((self._path(route), owner, deadline_s, units, units_out_min))
        return Call(
            to=self._router,
            data=data,
            value_wei=0,
            gas_limit=GAS_ONE_POOL if len(route.fees_ppm) == 1 else GAS_TWO_POOLS,
            approval=Approval(token=source, spender=self._router, units=units),
            units_out_min=units_out_min,
        )

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the swap would fail now; its allowance must stand already, or it says so (`STF`)."""
        function = EXACT_INPUT_SINGLE if EXACT_INPUT_SINGLE.is_called_by(call.data) else EXACT_INPUT
        return await attempt(self._reads, call, owner, block, function)

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
            return self._decode(data)
        except (KeyError, ValueError) as problem:
            return Undecodable(detail=f"no swap of this house: {problem}")

    def _decode(self, data: bytes) -> Decoded | Undecodable:
        """Decode either swap; raise ValueError or KeyError for a token or a form that isn't pinned."""
        if EXACT_INPUT_SINGLE.is_called_by(data):
            function = EXACT_INPUT_SINGLE
            [fields] = function.arguments(data)
            assert isinstance(fields, tuple), "a swap's argument is a tuple"
            source, target, fee, recipient, deadline_s, units_in, units_out_min, limit = fields
            if limit != NO_PRICE_LIMIT:
                return Undecodable(detail="a swap with a price limit may convert a part alone")
            assets = (self._tokens.by_address[str(source)], self._tokens.by_address[str(target)])
            route = SwapRoute(assets=assets, fees_ppm=(_number(fee),))
        else:
            function = EXACT_INPUT
            [fields] = function.arguments(data)
            assert isinstance(fields, tuple), "a swap's argument is a tuple"
            path, recipient, deadline_s, units_in, units_out_min = fields
            assert isinstance(path, bytes), "a path is decoded as bytes"
            route = self._unpack(path)
        if route not in self._routes.values():
            return Undecodable(detail=f"no pinned route: {' > '.join(route.assets)} at {route.fees_ppm}")
        return Decoded(
            function=function.signature,
            source=route.assets[0],
            target=route.assets[-1],
            recipient=str(recipient),
            payer=None,
            units_in=_number(units_in),
            units_out_min=_number(units_out_min),
            deadline_s=_number(deadline_s),
        )

    def _route(self, step: Conversion, units: int) -> SwapRoute | Refused:
        """Return the pinned route of a conversion."""
        route = self._routes.get(step.id)
        if route is None or (route.assets[0], route.assets[-1]) != (step.source, step.target):
            return refused(VenueReason.UNKNOWN_CONVERSION, step.id)
        return route if units > 0 else refused(VenueReason.ZERO_AMOUNT, f"{units} units")

    def _path(self, route: SwapRoute) -> bytes:
        """Pack a route the way the router reads it: a token (20 bytes), a fee (3), a token, and so on."""
        packed = bytes.fromhex(self._tokens.by_asset[route.assets[0]][2:])
        for fee_ppm, asset in zip(route.fees_ppm, route.assets[1:], strict=True):
            packed += fee_ppm.to_bytes(_FEE_BYTES, "big") + bytes.fromhex(self._tokens.by_asset[asset][2:])
        return packed

    def _unpack(self, path: bytes) -> SwapRoute:
        """Return the route a packed path is; raise ValueError or KeyError for what isn't one."""
        hops, rest = divmod(len(path), _HOP_BYTES)
        if rest != _ADDRESS_BYTES or not 1 <= hops <= _HOPS_MAX:
            raise ValueError(f"a path of {len(path)} bytes")
        places = range(0, len(path), _HOP_BYTES)
        return SwapRoute(
            assets=tuple(
                self._tokens.by_address["0x" + path[at : at + _ADDRESS_BYTES].hex()] for at in places
            ),
            fees_ppm=tuple(
                int.from_bytes(path[at + _ADDRESS_BYTES : at + _HOP_BYTES], "big") for at in places[:-1]
            ),
        )


def _number(value: abi.Value) -> int:
    """Return a decoded number as the number it is."""
    assert isinstance(value, int), "an amount, a fee and a deadline are decoded as numbers"
    return value
