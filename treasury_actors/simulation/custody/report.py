"""What the commands of custody say: lines for a person, one object for a script. Money is decimal strings."""

from collections.abc import Iterator
from datetime import UTC, datetime

from treasury_actors.chain.model.registry import Registry
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset, usd
from treasury_actors.simulation.custody.accounts_check import AccountsCheck
from treasury_actors.simulation.custody.observation import Position
from treasury_actors.simulation.custody.observing import Seen
from treasury_actors.simulation.custody.proposal import Proposed
from treasury_actors.simulation.custody.session import ChosenChain, checked_address
from treasury_actors.simulation.custody.today import Today
from treasury_actors.simulation.custody.wallet_check import WalletCheck
from treasury_actors.trading.model.reconciliation import Difference
from treasury_actors.trading.model.safe import SafeState

READ_ONLY = "read-only: no key is needed; nothing is signed, sent or written"
_HOUR_S = 3_600
_CENT_MICRO_USD = 10_000
_OLD_H = 2
"""History that ends this long before the chain's head is called old."""


def wallet_lines(check: WalletCheck, address: str) -> Iterator[str]:
    """Yield one line a finding, and the verdict."""
    yield address
    for finding in check.findings:
        yield f"{'PASS' if finding.passed else 'FAIL'}  {finding.name:<28} {finding.detail}"
    for name, code_hash in check.unpinned:
        yield f"note  code of {name} is not pinned; it is {code_hash}"
    failed = sum(not finding.passed for finding in check.findings)
    yield f"failed: {failed} of {len(check.findings)}" if failed else "All ok"


def wallet_object(check: WalletCheck, address: str, chosen: ChosenChain) -> dict[str, object]:
    """Return a wallet's check for a script."""
    return {
        "ok": check.passed,
        "address": address,
        "chain_id": chosen.registry.chain_id,
        "block": check.reading.block.number if check.reading else None,
        "checks": [
            {"name": finding.name, "ok": finding.passed, "detail": finding.detail}
            for finding in check.findings
        ],
        "unpinned": dict(check.unpinned),
    }


def accounts_lines(check: AccountsCheck, registry: Registry, universe: Universe) -> Iterator[str]:
    """Yield one line a difference, and the verdict."""
    books, reading = check.books, check.reading
    yield f"books: {books.events} events; wallet {reading.address} at block {reading.block.number}"
    if books.at_venue:
        yield f"note: {books.at_venue} orders are at a venue, not booked yet; ask again when they are"
    for word, differences in (
        ("SHORTFALL", check.differences.shortfalls),
        ("surplus", check.differences.surpluses),
    ):
        for item in differences:
            yield f"{word:<10} {_difference(item, registry, universe)}"
    if check.differences.is_short:
        yield "the wallet holds less than the books say: trading must not start"
    elif check.differences.is_equal:
        yield "All ok: books and chain are equal to the unit"
    else:
        yield "All ok: nothing is missing; a surplus is anyone's gift and counts for nothing"


def accounts_object(check: AccountsCheck, address: str, chosen: ChosenChain) -> dict[str, object]:
    """Return a comparison of books and chain for a script; units as strings."""
    return {
        "ok": not check.differences.is_short,
        "equal": check.differences.is_equal,
        "address": address,
        "chain_id": chosen.registry.chain_id,
        "block": check.reading.block.number,
        "events": check.books.events,
        "orders_at_venue": check.books.at_venue,
        "shortfalls": [_difference_object(item) for item in check.differences.shortfalls],
        "surpluses": [_difference_object(item) for item in check.differences.surpluses],
    }


def observation_lines(seen: Seen, chosen: ChosenChain, *, burn_micro_usd: int | None) -> Iterator[str]:
    """Yield what an address is worth and what the arena would do today."""
    found, block, registry = seen.observation, seen.reading.block, chosen.registry
    yield f"{seen.reading.address} on {registry.chain_name} is {seen.kind}"
    yield f"block {block.number}, {_utc(block.time_s)}; {READ_ONLY}"
    if seen.safe is not None:
        yield from _safe_lines(seen.safe)
    yield ""
    yield f"{'asset':<12}{'venue':<14}{'amount':>32}{'USD':>20}"
    for position in found.positions:
        value = "no price" if position.micro_usd is None else _dollars(position.micro_usd)
        yield f"{position.asset:<12}{position.venue:<14}{position.amount:>32}{value:>20}"
    yield f"{'NAV':<58}{_dollars(found.nav_micro_usd):>20}"
    for position in found.left_out:
        yield f"left out of the NAV: {position.asset}: {position.why_not}"
    for doubt in found.doubts:
        yield f"counted, but mind: {doubt}"
    yield f"looked at: the {len(registry.tokens)} pinned tokens and the native asset; others aren't seen"
    yield ""
    idle = "unknown" if found.idle_ratio is None else f"{found.idle_ratio:.1%} of the NAV"
    yield f"idle reserve asset: ${_dollars(found.idle_micro_usd)}, {idle}"
    if burn_micro_usd is not None:
        nav_months, reserve_months = found.runway_months(burn_micro_usd)
        yield (
            f"runway at ${_dollars(burn_micro_usd)} a month: {nav_months:.1f} months on the NAV, "
            f"{reserve_months:.1f} on the reserve asset alone, lent or idle"
        )
    yield ""
    yield from _today_lines(seen, registry)


def observation_object(seen: Seen, chosen: ChosenChain, *, burn_micro_usd: int | None) -> dict[str, object]:
    """Return what an address is worth for a script."""
    found, block = seen.observation, seen.reading.block
    months = None if burn_micro_usd is None else found.runway_months(burn_micro_usd)
    return {
        "read_only": True,
        "address": seen.reading.address,
        "kind": seen.kind,
        "chain": chosen.registry.chain_name,
        "chain_id": chosen.registry.chain_id,
        "block": block.number,
        "time": _utc(block.time_s),
        "safe": None if seen.safe is None else _safe_object(seen.safe),
        "nav_usd": usd(found.nav_micro_usd),
        "positions": [_position_object(position) for position in found.positions],
        "left_out": [position.asset for position in found.left_out],
        "doubts": list(found.doubts),
        "idle_usd": usd(found.idle_micro_usd),
        "idle_ratio": found.idle_ratio,
        "runway_months": None if months is None else {"nav": months[0], "reserve": months[1]},
        "today": _today_object(seen.today, found.idle_micro_usd, chosen.registry),
    }


def proposal_lines(proposed: Proposed) -> Iterator[str]:
    """Yield what owners compare before they sign."""
    state = proposed.state
    yield f"Safe {_checksummed(state.address)} on chain {state.chain_id}: {proposed.summary}"
    yield from _safe_lines(state)
    yield f"a plain call, nonce {state.nonce}, no refund of gas; each owner's device must show this hash:"
    yield f"  {proposed.safe_tx_hash}"
    yield "nothing was signed and nothing was sent"


def _today_lines(seen: Seen, registry: Registry) -> Iterator[str]:
    """Yield what each strategy wants, and the sum."""
    today, idle = seen.today, seen.observation.idle_micro_usd
    age_h = (seen.reading.block.time_s - today.knowledge.time_s) // _HOUR_S
    yield (
        f"what the arena would do with the idle reserve asset, in equal parts, on {today.knowledge.source} "
        f"({today.knowledge.hours} h, to {_utc(today.knowledge.time_s)}):"
    )
    if age_h > _OLD_H:
        yield f"OLD DATA: they end {age_h} h before the chain's head; this is what it would have done then"
    for wish in today.wishes:
        wanted = (
            ", ".join(f"{weight:.1%} {asset}" for asset, weight in wish.targets) or "stays in the reserve"
        )
        yield f"  {wish.family:<22}{f'cannot decide: {wish.why_not}' if wish.why_not else wanted}"
    if not today.allocation:
        yield "  no strategy can decide yet; give --data DIR, a folder with hourly history"
        return
    pinned = {token.asset for token in registry.tokens}
    for asset, weight in today.allocation:
        note = "" if asset in pinned else f"  (not pinned on {registry.chain_name}: it could not be bought)"
        yield f"  => {weight:>6.1%} {asset:<12} ${_dollars(int(weight * idle))}{note}"
    yield "  middle genomes without a track record: how the house works, not advice"


def _today_object(today: Today, idle_micro_usd: int, registry: Registry) -> dict[str, object]:
    pinned = {token.asset for token in registry.tokens}
    return {
        "source": today.knowledge.source,
        "history_h": today.knowledge.hours,
        "as_of": _utc(today.knowledge.time_s),
        "strategies": [
            {
                "family": wish.family,
                "genes": list(wish.genes),
                "decides": not wish.why_not,
                "why_not": wish.why_not,
                "targets": dict(wish.targets),
            }
            for wish in today.wishes
        ],
        "allocation": [
            {
                "asset": asset,
                "ratio": weight,
                "usd": usd(int(weight * idle_micro_usd)),
                "pinned": asset in pinned,
            }
            for asset, weight in today.allocation
        ],
    }


def _safe_lines(safe: SafeState) -> Iterator[str]:
    owners = ", ".join(map(_checksummed, safe.owners))
    yield f"owners ({safe.threshold} of {len(safe.owners)} must sign): {owners}"
    if safe.modules:
        modules = ", ".join(map(_checksummed, safe.modules))
        yield f"WARNING: modules may move everything without an owner: {modules}"
    if safe.guard is not None:
        yield f"note: the guard {_checksummed(safe.guard)} is asked about every transaction"


def _safe_object(safe: SafeState) -> dict[str, object]:
    return {
        "kind": safe.kind,
        "version": safe.version,
        "owners": [_checksummed(owner) for owner in safe.owners],
        "threshold": safe.threshold,
        "nonce": safe.nonce,
        "modules": [_checksummed(module) for module in safe.modules],
        "guard": None if safe.guard is None else _checksummed(safe.guard),
        "fallback_handler": (None if safe.fallback_handler is None else _checksummed(safe.fallback_handler)),
    }


def _position_object(position: Position) -> dict[str, object]:
    return {
        "asset": position.asset,
        "venue": position.venue,
        "amount": position.amount,
        "usd": None if position.micro_usd is None else usd(position.micro_usd),
        "why_not": position.why_not,
    }


def _difference(item: Difference, registry: Registry, universe: Universe) -> str:
    """Return one difference in whole tokens and in units."""
    decimals = _decimals(item.asset, registry, universe)
    asset = Asset(id=item.asset, decimals=decimals, tick_exponent=0)
    return (
        f"{asset.format(item.units)} {item.asset} ({item.units} units): "
        f"books {item.expected}, chain {item.found}"
    )


def _difference_object(item: Difference) -> dict[str, str]:
    return {
        "asset": item.asset,
        "units": str(item.units),
        "books": str(item.expected),
        "chain": str(item.found),
    }


def _decimals(asset: AssetId, registry: Registry, universe: Universe) -> int:
    pinned = {token.asset: token.decimals for token in registry.tokens}
    return pinned[asset] if asset in pinned else universe.by_id[asset].decimals


def _checksummed(address: str) -> str:
    """Return an address as every wallet shows it: owners compare by eye."""
    return checked_address(address, "address")


def _dollars(micro_usd: int) -> str:
    """Return dollars and cents, rounded down."""
    cents = micro_usd // _CENT_MICRO_USD
    return f"{cents // 100:,}.{cents % 100:02d}"


def _utc(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, tz=UTC).isoformat(timespec="seconds")
