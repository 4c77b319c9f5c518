"""
A local chain on which the real protocols stand, and what moves it as a season moves.

Synthetic liquidity: pools hold one full-range position of the season's depth, an arbitrageur swaps each back
to the season's price, one borrower moves Aave's utilisation until suppliers earn about the season's rate,
and vaults earn by gifts. None of these actors is one of ours, and each needs at most one transaction a
market a frame, so that a frame is one block. The same frames give the same blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite, isqrt
from typing import Final

from treasury_actors.chain.model.registry import PinnedContract, PinnedToken, Registry
from treasury_actors.chain.model.values import quantity
from treasury_actors.chain.ports import Rpc
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import Asset
from treasury_actors.simulation.rehearsal.curves import RAY, units_in_to_reach
from treasury_actors.simulation.rehearsal.deploy_aave_v3 import VARIABLE_RATE, AaveV3, Reserve
from treasury_actors.simulation.rehearsal.deploy_chainlink import FEED_DECIMALS, Feed, next_answers
from treasury_actors.simulation.rehearsal.deploy_safe import SafeContracts
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter, Call, View
from treasury_actors.simulation.rehearsal.deploy_tokens import Vault, gifts_for
from treasury_actors.simulation.rehearsal.deploy_uniswap_v3 import Pool, UniswapV3, pool_states, swap_call

UNISWAP, AAVE = "uniswap-v3", "aave-v3"
WETH: Final = AssetId("WETH")

CLOSE_ENOUGH_PPM: Final = 10
"""A pool within a tenth of a basis point of the season's price, or utilisation, is left alone."""

ROUNDING_UNITS: Final = 1_000
"""What a pool may round up on the way to a price, a few units at each of at most some hundred steps."""

_GWEI = 10**9
_MILLION = 1_000_000
_RATE_STEPS = 10**12
_NS_A_SECOND = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """
    The node's own accounts that move the world; the house must use none of them.

    `deployer` also owns the liquidity, supplies to Aave, speaks for the oracles and keeps the vaults.
    """

    deployer: str
    arbitrageur: str
    borrower: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The addresses of everything, and the movers.

    Attributes:
        tokens: every asset the universe can hold here, shares included, by id.
        pools: per asset, its pool against the reserve asset.
        feeds: per asset that is no share, its USD feed.
        vaults: per share token, its vault.
        left_out: conversions of the universe that have no contract here.
        gas_ratio: gas price of this chain as a share of the season's L1 price; an L2's is a few thousandths.
    """

    writer: BlockWriter
    universe: Universe
    roles: Roles
    tokens: Mapping[AssetId, str]
    uniswap: UniswapV3
    pools: Mapping[AssetId, Pool]
    aave: AaveV3
    feeds: Mapping[AssetId, Feed]
    vaults: Mapping[AssetId, Vault]
    safe: SafeContracts
    left_out: tuple[Conversion, ...]
    gas_ratio: float = 1.0

    def on(self, rpc: Rpc) -> "World":
        """Return the same world, moved over another session with its node."""
        writer = BlockWriter(rpc, artifacts=self.writer.artifacts, account=self.writer.account)
        return replace(self, writer=writer)

    async def move_to(self, frame: MarketFrame) -> None:
        """Mine one block at the frame's time with all its prices and rates; then set its gas price."""
        calls = [*await self._price_calls(frame), *await self._rate_calls(frame)]
        await self.writer.one_block(calls, at_s=frame.time_ns // _NS_A_SECOND)
        await self.set_gas(frame)

    async def set_prices(self, frame: MarketFrame) -> None:
        """Let oracles report the frame's prices and the arbitrageur bring the pools there, in one block."""
        await self.writer.one_block(await self._price_calls(frame))

    async def move_rates(self, frame: MarketFrame) -> None:
        """Let the borrower and the vaults' earnings bring about the frame's rates, in one block."""
        await self.writer.one_block(await self._rate_calls(frame))

    async def set_gas(self, frame: MarketFrame) -> None:
        """Give the next block the frame's gas price as its base fee; later ones decay from there."""
        wei = round(frame.l1_gas_gwei * self.gas_ratio * _GWEI)
        await self.writer.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    async def advance_to(self, time_ns: int) -> None:
        """Mine one empty block at `time_ns`, rounded down to a second; it must be later than the newest."""
        await self.writer.one_block((), at_s=time_ns // _NS_A_SECOND)

    async def fund(self, account: str, asset: AssetId, units: int) -> None:
        """Give `account` units of a token that is no share, out of nothing."""
        async with self.writer.blocks():
            token = self.tokens[asset]
            if asset == WETH:
                await self.writer.send(token, "deposit()", wei=units)
                await self.writer.send(token, "transfer(address,uint256)", account, units)
            else:
                await self.writer.send(token, "mint(address,uint256)", account, units)

    async def fund_gas(self, account: str, wei: int) -> None:
        """Set the native balance of `account`."""
        await self.writer.ask("anvil_setBalance", account, hex(wei))

    async def registry(self) -> Registry:
        """Return everything pinned as it stands here: addresses, decimals, and the hashes of their code."""
        from treasury_actors.chain.adapters.registry_check import pin_code  # noqa: PLC0415  # needs an extra

        registry = Registry(
            chain_id=quantity(await self.writer.ask("eth_chainId"), "chain id"),
            chain_name="rehearsal",
            tokens=tuple(
                PinnedToken(asset=asset, address=address, decimals=self.universe.by_id[asset].decimals)
                for asset, address in self.tokens.items()
            ),
            contracts=tuple(
                PinnedContract(name=name, address=address) for name, address in self._named_contracts()
            ),
        )
        return await pin_code(self.writer.rpc, registry)

    def _named_contracts(self) -> list[tuple[str, str]]:
        """Return (name, address) of what is no token; a vault is one, its shares are at its address."""
        uniswap, aave, safe = self.uniswap, self.aave, self.safe
        return [
            ("uniswap-v3:factory", uniswap.factory),
            ("uniswap-v3:router", uniswap.router),
            ("uniswap-v3:quoter", uniswap.quoter),
            *((f"uniswap-v3:pool:{asset}", pool.address) for asset, pool in self.pools.items()),
            ("aave-v3:provider", aave.provider),
            ("aave-v3:pool", aave.pool),
            ("aave-v3:oracle", aave.oracle),
            ("aave-v3:data-provider", aave.data_provider),
            *(
                (f"chainlink:{'ETH' if asset == WETH else asset}/USD", feed.proxy)
                for asset, feed in self.feeds.items()
            ),
            ("safe:singleton", safe.singleton),
            ("safe:factory", safe.factory),
            ("safe:fallback-handler", safe.fallback_handler),
            ("safe:multi-send", safe.multi_send),
        ]

    async def _price_calls(self, frame: MarketFrame) -> list[Call]:
        """Return an oracle round an asset, and the swaps of pools that are off."""
        answers = [
            (feed, feed_answer(self.universe.by_id[asset], ticks))
            for asset, feed in self.feeds.items()
            if (ticks := self._ticks(frame, asset))
        ]
        calls = await next_answers(self.writer, answers)
        states = await pool_states(self.writer, list(self.pools.values()))
        for (asset, pool), state in zip(self.pools.items(), states, strict=True):
            target = self.frame_sqrt_price(frame, asset)
            # A price moves by twice what its square root moves.
            if target == 0 or 2 * abs(target - state.sqrt_price_x96) * _MILLION <= CLOSE_ENOUGH_PPM * target:
                continue
            calls.append(
                swap_call(
                    self.uniswap,
                    pool,
                    # The limit stops it at the price; what the pool does not need, the router does not take.
                    units_in=units_in_to_reach(state, target) + ROUNDING_UNITS,
                    zero_for_one=target < state.sqrt_price_x96,
                    sender=self.roles.arbitrageur,
                    limit_x96=target,
                )
            )
        return calls

    async def _rate_calls(self, frame: MarketFrame) -> list[Call]:
        """Return what the borrower does in each reserve, and each vault's gain or loss."""
        shares = [step.target for step in conversions_at(self.universe, AAVE, "supply")]
        rated = [
            (self.aave.reserve(str(self.universe.by_id[share].underlying)), rate)
            for share in shares
            if isfinite(rate := frame.rates[self.universe.column[share]])
        ]
        stocks = await self.writer.numbers([view for reserve, _ in rated for view in _stock_views(reserve)])
        calls = []
        for (reserve, rate), debt, idle in zip(rated, stocks[::2], stocks[1::2], strict=True):
            change = reserve.curve.debt_for(rate_in_ray(rate), debt + idle) - debt
            if abs(change) * _MILLION > CLOSE_ENOUGH_PPM * (debt + idle):
                calls.append(self._borrower_call(reserve, change))
        priced = [
            (vault, frame.share_prices[self.universe.column[share]]) for share, vault in self.vaults.items()
        ]
        gifts = await gifts_for(self.writer, priced)
        return calls + [
            self._vault_call(vault, gift) for (vault, _), gift in zip(priced, gifts, strict=True) if gift
        ]

    def _borrower_call(self, reserve: Reserve, change: int) -> Call:
        """Return the loan, or if negative the repayment, that changes the borrower's debt by so much."""
        borrower = self.roles.borrower
        signature, values = (
            ("borrow(address,uint256,uint256,uint16,address)", (change, VARIABLE_RATE, 0, borrower))
            if change > 0
            else ("repay(address,uint256,uint256,address)", (-change, VARIABLE_RATE, borrower))
        )
        return Call(to=self.aave.pool, signature=signature, values=(reserve.token, *values), sender=borrower)

    def _vault_call(self, vault: Vault, gift: int) -> Call:
        """Return the gift, or if negative the loss, that changes a vault's assets by so much."""
        to, signature, values = (
            (vault.underlying, "mint(address,uint256)", (vault.address, gift))
            if gift > 0
            else (vault.address, "lose(uint256)", (-gift,))
        )
        return Call(to=to, signature=signature, values=values, sender=self.roles.deployer)

    def frame_sqrt_price(self, frame: MarketFrame, asset: AssetId) -> int:
        """Return the square root price (x 2^96) of an asset's pool at the frame's prices; 0 if unknown."""
        reserve, pool = self.universe.reserve, self.pools[asset]
        first, second = (asset, reserve) if pool.token0 == self.tokens[asset] else (reserve, asset)
        ticks0, ticks1 = self._ticks(frame, first), self._ticks(frame, second)
        if not ticks0 or not ticks1:
            return 0
        scale0, scale1 = raw_scale(self.universe.by_id[first]), raw_scale(self.universe.by_id[second])
        return isqrt(ticks0 * scale1 * 2**192 // (ticks1 * scale0))

    def _ticks(self, frame: MarketFrame, asset: AssetId) -> int:
        return frame.ticks[self.universe.column[asset]]


def conversions_at(universe: Universe, venue: str, action: str) -> list[Conversion]:
    """Return the conversions of one kind at one venue, in the universe's order."""
    return [step for step in universe.conversions if step.venue == venue and step.action == action]


def rate_in_ray(rate: float) -> int:
    """Return an annual rate as Aave writes it, to a millionth of a millionth; none is negative."""
    return round(max(0.0, rate) * _RATE_STEPS) * (RAY // _RATE_STEPS)


def raw_scale(asset: Asset) -> int:
    """Return raw units of an asset times ticks a dollar: what prices of raw units are compared by."""
    scale: int = 10 ** (asset.decimals + asset.tick_exponent)
    return scale


def _stock_views(reserve: Reserve) -> tuple[View, View]:
    """Return the questions after what is owed to a reserve, and what lies idle in it."""
    return (
        View(to=reserve.debt_token, signature="totalSupply()"),
        View(to=reserve.token, signature="balanceOf(address)", values=(reserve.a_token,)),
    )


def feed_answer(asset: Asset, ticks: int) -> int:
    """Return a price as a feed reports it, rounded half up, at least 1."""
    shift = asset.tick_exponent - FEED_DECIMALS
    step: int = 10 ** abs(shift)
    return max(1, (ticks + step // 2) // step) if shift > 0 else max(1, ticks * step)
