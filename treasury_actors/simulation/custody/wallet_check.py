"""`check-wallet`: is it the wallet we mean, on the chain we mean, with nothing about it we don't know."""

from collections.abc import Iterator
from dataclasses import dataclass

from treasury_actors.chain.adapters.registry_check import check_registry
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.registry import Registry, RegistryCheck
from treasury_actors.clock import Clock
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset
from treasury_actors.simulation.custody.reading import (
    Allowance,
    WalletReading,
    read_allowances,
    read_block,
    read_wallet,
)
from treasury_actors.simulation.custody.session import ChosenChain, open_chain

HEAD_AGE_MOST_S = 120
_NS_A_SECOND = 10**9
_DELEGATED = bytes.fromhex("ef0100")
"""What the code of a wallet begins with that lets a contract act for it (EIP-7702)."""
_ENDLESS_UNITS = 1 << 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a check."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletCheck:
    """
    All lines of a check.

    Attributes:
        reading: None where the chain is another one and nothing was read.
        unpinned: (name, hash) of code that was seen but not compared, for whoever trusts it to pin it.
    """

    findings: tuple[Finding, ...]
    reading: WalletReading | None
    unpinned: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether every line passed."""
        return all(finding.passed for finding in self.findings)


async def check_wallet(chosen: ChosenChain, universe: Universe, address: str, clock: Clock) -> WalletCheck:
    """
    Check an address; raise RpcFault where no endpoint answers.

    An endpoint on another chain fails the check, and nothing more is asked.
    """
    registry = chosen.registry
    try:
        async with open_chain(chosen, clock) as rpc:
            pinned = await check_registry(rpc, registry)
            reading = await read_wallet(rpc, registry, universe, address, await read_block(rpc))
            allowed = await read_allowances(rpc, registry, address, reading.block)
    except RpcFault as fault:
        if fault.kind is not RpcFaultKind.WRONG_CHAIN:
            raise
        wrong = Finding(name="chain", passed=False, detail=str(fault))
        return WalletCheck(findings=(wrong,), reading=None)
    age_s = None if chosen.is_local else clock.now_ns() // _NS_A_SECOND - reading.block.time_s
    findings = (
        Finding(name="chain", passed=True, detail=f"{registry.chain_name}, id {registry.chain_id}"),
        *_registry_findings(registry, pinned),
        _head_finding(reading, age_s),
        _code_finding(reading),
        _nonce_finding(reading),
        *_allowance_findings(allowed),
        *_balance_findings(reading, registry, universe),
    )
    unpinned = tuple(entry for entry in pinned.code_hashes if entry[0] in pinned.unpinned)
    return WalletCheck(findings=findings, reading=reading, unpinned=unpinned)


def _registry_findings(registry: Registry, check: RegistryCheck) -> Iterator[Finding]:
    for item in check.refused:
        yield Finding(
            name=f"registry {item.name}", passed=False, detail=f"{item.problem.name}: {item.detail}"
        )
    if not check.refused:
        pinned = len(registry.items) - len(check.unpinned)
        detail = f"{len(registry.items)} addresses as pinned, {pinned} of them with their code's hash"
        yield Finding(name="registry", passed=True, detail=detail)


def _head_finding(reading: WalletReading, age_s: int | None) -> Finding:
    block = f"block {reading.block.number}"
    if age_s is None:
        return Finding(name="head", passed=True, detail=f"{block}; a local chain's clock is its own")
    passed = -HEAD_AGE_MOST_S <= age_s <= HEAD_AGE_MOST_S
    detail = f"{block} is {age_s} s old; allowed: {HEAD_AGE_MOST_S} s"
    return Finding(name="head", passed=passed, detail=detail)


def _code_finding(reading: WalletReading) -> Finding:
    if reading.code.startswith(_DELEGATED):
        target = "0x" + reading.code[len(_DELEGATED) :].hex()
        return Finding(name="account", passed=False, detail=f"acts for the contract {target} (EIP-7702)")
    if reading.code:
        detail = "is a contract; allowed: a plain wallet (for a Safe: observe)"
        return Finding(name="account", passed=False, detail=detail)
    return Finding(name="account", passed=True, detail="a plain wallet, no code")


def _nonce_finding(reading: WalletReading) -> Finding:
    waiting = reading.pending_nonce - reading.nonce
    if waiting:
        detail = f"{waiting} transactions wait in the pool: our daemon's, or somebody else has the key"
        return Finding(name="nonce", passed=False, detail=detail)
    return Finding(name="nonce", passed=True, detail=f"{reading.nonce}, nothing waits in the pool")


def _allowance_findings(allowed: list[Allowance]) -> Iterator[Finding]:
    for item in allowed:
        units = "everything" if item.units >= _ENDLESS_UNITS else f"{item.units} units"
        detail = f"{item.spender} may take {units}; allowed at rest: 0"
        yield Finding(name=f"allowance {item.asset}", passed=False, detail=detail)
    if not allowed:
        yield Finding(name="allowances", passed=True, detail="none to anything pinned")


def _balance_findings(reading: WalletReading, registry: Registry, universe: Universe) -> Iterator[Finding]:
    wei = reading.holdings[universe.gas]
    text = universe.by_id[universe.gas].format(wei)
    detail = f"{text} {universe.gas}" if wei else f"no {universe.gas}: no transaction can be paid for"
    yield Finding(name="gas", passed=wei > 0, detail=detail)
    for token in registry.tokens:
        units = reading.balances[token.asset]
        if units:
            amount = Asset(id=token.asset, decimals=token.decimals, tick_exponent=0).format(units)
            yield Finding(name=f"balance {token.asset}", passed=True, detail=amount)
