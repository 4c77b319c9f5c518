"""
A sandwich attacker on a local chain: what a public mempool does to a swap whose minimum leaves room.

It is no part of the house and knows nothing of it: it reads the mempool, computes, and outbids. Whoever takes
at least what an independent price allows loses at most that room to it; whoever asks for one unit loses
what it likes. The node must order blocks by fees, as anvil does unless told otherwise, and must not mine at
every transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from treasury_actors.chain.model.rpc import RpcCall, result_of
from treasury_actors.chain.model.values import field, mapping, quantity, to_data
from treasury_actors.ids import AssetId
from treasury_actors.simulation.rehearsal.curves import PoolState
from treasury_actors.simulation.rehearsal.deploy_uniswap_v3 import Pool, pool_states
from treasury_actors.simulation.rehearsal.mempool import (
    Fees,
    Pending,
    next_base_fee_wei,
    next_nonce,
    pending_of,
    post,
)
from treasury_actors.simulation.rehearsal.squeeze import (
    Squeeze,
    Waiting,
    best_front,
    largest_front,
    rounding,
    squeezed,
)
from treasury_actors.simulation.rehearsal.world import WETH, World
from treasury_actors.trading.adapters.evm.erc20 import net_received
from treasury_actors.trading.adapters.evm.reads import logs_of
from treasury_actors.trading.adapters.evm.uniswap_routers import Router, Swap, SwapRouter

ATTACKER_ACCOUNT: Final = 3
"""Its place among the node's own accounts: the first three move the world, the house has those from 5 on."""

PURSE_TOKENS: Final = 10**9
"""What it has of each token; a flash loan would lend it as much."""

SWAP_GAS: Final = 150_000
"""A swap over one pool burns 105,000 to 130,000."""

_OUTBID_PERCENT = 110
_PERCENT = 100
_X96 = 96
_FOREVER_S = 2**32 - 1
_GAS_PURSE_WEI = 10**10 * 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """
    A sandwich in the mempool around a swap, and how it will go unless somebody else moves the pool first.

    Attributes:
        source, target: what the victim's swap gives and takes.
        gas_units: of the source, what both transactions of the attacker burn at most.
    """

    victim_hash: str
    front_hash: str
    back_hash: str
    source: AssetId
    target: AssetId
    squeeze: Squeeze
    gas_units: int

    @property
    def profit_units(self) -> int:
        """Return what the attacker has more of the source afterwards, its gas paid."""
        return self.squeeze.gained_units - self.gas_units


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackOutcome:
    """
    What the chain says of an attack: which of the three succeeded, and what changed hands in them.

    Attributes:
        victim_units: of the target, what the victim's account took.
        gained_units: of the source, what the attacker took less what it gave.
        kept_units: of the target, the same; 0 but for a failure.
    """

    front_passed: bool
    victim_passed: bool
    back_passed: bool
    victim_units: int
    gained_units: int
    kept_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A swap in the mempool that one of the world's pools would do, and where that pool stands."""

    pending: Pending
    swap: Swap
    pool: PoolState
    waiting: Waiting


class Sandwich:
    """
    Attack one swap of a victim a block, if that pays.

    Args:
        account: an unlocked account of the node that nobody else uses.
        form: how calldata of the world's router is read.
        at_a_loss: squeeze every swap to its minimum, whatever that costs: against small swaps no sandwich
            pays, and a minimum must hold against one who is not in it for the money, too.
    """

    def __init__(
        self, world: World, *, account: str, form: Router | None = None, at_a_loss: bool = False
    ) -> None:
        self._world = world
        self._account = account
        self._form = form or SwapRouter()
        self._at_a_loss = at_a_loss
        self._asset_of = {address.lower(): asset for asset, address in world.tokens.items()}

    def __repr__(self) -> str:
        return f"<Sandwich of {self._account}{', at a loss' if self._at_a_loss else ''}>"

    async def prepare(self) -> None:
        """Fill the attacker's purse out of nothing and let the router take from it; mines what waits."""
        world, account = self._world, self._account
        await world.fund_gas(account, _GAS_PURSE_WEI)
        async with world.writer.blocks():
            for asset in dict.fromkeys((world.universe.reserve, *world.pools)):
                token = world.tokens[asset]
                units = PURSE_TOKENS * 10 ** world.universe.by_id[asset].decimals
                if asset == WETH:
                    await world.writer.send(token, "deposit()", wei=units, sender=account)
                else:
                    await world.writer.send(token, "mint(address,uint256)", account, units)
                approve = "approve(address,uint256)"
                await world.writer.send(token, approve, world.uniswap.router, units, sender=account)

    async def attack(self, victim: str) -> Attack | None:
        """
        Put a front-run and a back-run around the first swap of `victim` in the mempool that is worth it.

        Call it after the victim sent and before the next block. Returns None, and sends nothing, if no swap
        waits, its minimum leaves no room, or the gain would not pay the gas.
        """
        base_fee_wei = await next_base_fee_wei(self._world.writer)
        for pending in await pending_of(self._world.writer, victim):
            target = await self._target(pending)
            found = None if target is None else await self._around(target, base_fee_wei)
            if found is not None:
                return found
        return None

    async def outcome(self, attack: Attack, victim: str) -> AttackOutcome:
        """Return what became of an attack; its block must be mined."""
        hashes = (attack.front_hash, attack.victim_hash, attack.back_hash)
        calls = [RpcCall(method="eth_getTransactionReceipt", params=(tx_hash,)) for tx_hash in hashes]
        answers = await self._world.writer.rpc.batch(calls)
        receipts = [mapping(result_of(answer, "receipt"), "receipt") for answer in answers]
        passed = [quantity(field(receipt, "status", "receipt"), "status") == 1 for receipt in receipts]
        front, middle, back = (logs_of(receipt) for receipt in receipts)
        source, target = (self._world.tokens[asset].lower() for asset in (attack.source, attack.target))
        own = self._account.lower()
        return AttackOutcome(
            front_passed=passed[0],
            victim_passed=passed[1],
            back_passed=passed[2],
            victim_units=net_received(middle, target, victim.lower()),
            gained_units=net_received((*front, *back), source, own),
            kept_units=net_received((*front, *back), target, own),
        )

    async def _target(self, pending: Pending) -> _Target | None:
        """Return the swap a transaction is, if it is one over one pool of the world."""
        if pending.to != self._world.uniswap.router.lower():
            return None
        try:
            swap, _ = self._form.decode(pending.data)
        except ValueError:
            return None  # whatever else a router can do
        pool = _pool_of(self._world.pools.values(), swap)
        if pool is None:
            return None
        (state,) = await pool_states(self._world.writer, [pool])
        waiting = Waiting(
            units_in=swap.units_in,
            units_out_min=swap.units_out_min,
            zero_for_one=pool.token0.lower() == swap.tokens[0],
        )
        return _Target(pending=pending, swap=swap, pool=state, waiting=waiting)

    async def _around(self, target: _Target, base_fee_wei: int) -> Attack | None:
        """Post both halves, the front with a higher offer and the back with a lower one, if it pays."""
        offer = target.pending.fees
        front_fees = Fees(max_fee_wei=_outbid(offer.max_fee_wei), tip_wei=_outbid(offer.tip_wei))
        back_fees = Fees(max_fee_wei=offer.max_fee_wei - 1, tip_wei=max(offer.tip_wei - 1, 0))
        if back_fees.max_fee_wei < base_fee_wei:
            return None
        token_in, token_out = target.swap.tokens
        writer = self._world.writer
        purse = await writer.number(token_in, "balanceOf(address)", self._account)
        most = largest_front(target.pool, target.waiting, purse)
        front_units = most if self._at_a_loss else best_front(target.pool, target.waiting, most)
        plan = squeezed(target.pool, target.waiting, front_units)
        wei = SWAP_GAS * (front_fees.paid_wei(base_fee_wei) + back_fees.paid_wei(base_fee_wei))
        gas_units = await self._worth(wei, self._asset_of[token_in])
        if front_units == 0 or plan.bought_units == 0:
            return None
        if not self._at_a_loss and plan.gained_units <= gas_units:
            return None
        nonce = await next_nonce(writer, self._account)
        # If somebody else moves the pool first, the front-run fails rather than buy at another price.
        front_hash = await self._post(
            self._swap(target, plan.front_units, plan.bought_units - rounding(plan.bought_units)),
            nonce,
            front_fees,
        )
        back = self._swap(target, plan.bought_units, 1 if self._at_a_loss else plan.front_units, back=True)
        return Attack(
            victim_hash=target.pending.tx_hash,
            front_hash=front_hash,
            back_hash=await self._post(back, nonce + 1, back_fees),
            source=self._asset_of[token_in],
            target=self._asset_of[token_out],
            squeeze=plan,
            gas_units=gas_units,
        )

    def _swap(self, target: _Target, units: int, units_min: int, *, back: bool = False) -> Swap:
        """Return a swap of the attacker's over the victim's pool, the same way or back."""
        tokens = target.swap.tokens
        return Swap(
            tokens=tokens[::-1] if back else tokens,
            fees_ppm=target.swap.fees_ppm,
            recipient=self._account,
            deadline_s=_FOREVER_S,
            units_in=units,
            units_out_min=max(units_min, 1),
        )

    async def _post(self, swap: Swap, nonce: int, fees: Fees) -> str:
        """Put a swap into the mempool."""
        return await post(
            self._world.writer,
            sender=self._account,
            to=self._world.uniswap.router,
            call=to_data(self._form.encode(swap)),
            nonce=nonce,
            gas=2 * SWAP_GAS,
            fees=fees,
        )

    async def _worth(self, wei: int, asset: AssetId) -> int:
        """Return what so much gas costs in units of an asset, at the pools' prices, rounded up."""
        units = wei
        for pooled, into_reserve in ((WETH, True), (asset, False)):
            if asset == WETH or pooled == self._world.universe.reserve:
                continue
            pool = self._world.pools[pooled]
            price = await self._world.writer.number(pool.address, "slot0()")
            is_token0 = pool.token0 == self._world.tokens[pooled]
            units = _at_price(units, price, zero_for_one=is_token0 == into_reserve)
        return units


def _pool_of(pools: Iterable[Pool], swap: Swap) -> Pool | None:
    """Return the pool a swap goes over; None if it goes over several, or one of somebody else's."""
    for pool in pools:
        pair = {pool.token0.lower(), pool.token1.lower()}
        if len(swap.fees_ppm) == 1 and pair == set(swap.tokens) and swap.fees_ppm[0] == pool.fee_pips:
            return pool
    return None


def _at_price(units: int, sqrt_price_x96: int, *, zero_for_one: bool) -> int:
    """Return what units of one token of a pool are worth in the other, rounded up."""
    square, whole = sqrt_price_x96**2, 1 << (2 * _X96)
    return -(-units * square // whole) if zero_for_one else -(-units * whole // square)


def _outbid(wei: int) -> int:
    """Return a tenth more, and at least 1 wei."""
    return wei * _OUTBID_PERCENT // _PERCENT + 1
