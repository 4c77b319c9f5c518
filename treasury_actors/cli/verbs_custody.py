"""`keystore`, `check-wallet`, `check-accounts`, `observe`, `safe-propose`."""

import argparse
import os
from getpass import getpass
from pathlib import Path

import anyio

from treasury_actors.cli.screen import emit, say, show
from treasury_actors.clock import WallClock
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.money import Asset
from treasury_actors.simulation.custody import report
from treasury_actors.simulation.custody.accounts_check import check_accounts as accounts_of
from treasury_actors.simulation.custody.observing import observe_address
from treasury_actors.simulation.custody.proposal import Wanted, propose
from treasury_actors.simulation.custody.session import ChosenChain, checked_address, choose_chain
from treasury_actors.simulation.custody.wallet_check import check_wallet as wallet_of
from treasury_actors.trading.adapters.evm.signer import (
    keystore_address as address_of,
)
from treasury_actors.trading.adapters.evm.signer import (
    new_keystore,
    password_in,
)

PASSWORD_CHARACTERS_MIN = 12
_PRIVATE = 0o600


def keystore_new(options: argparse.Namespace) -> int:
    """Make a key and write it encrypted; print its address alone."""
    path: Path = options.file
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path}: is there already; allowed: a new file, a key is never overwritten")
    password = password_in(options.password_file) if options.password_file else _typed_password()
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise ConfigError(
            f"the password is too short; allowed: at least {PASSWORD_CHARACTERS_MIN} characters"
        )
    text = new_keystore(password)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), _PRIVATE)
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    show(address_of(path))
    return 0


def keystore_address(options: argparse.Namespace) -> int:
    """Print the address of a keystore."""
    show(address_of(options.file, options.password_file))
    return 0


def check_wallet(options: argparse.Namespace) -> int:
    """Check a wallet on its chain; 1 if a line fails."""
    chosen, address = _chosen(options), _address(options)
    checked = anyio.run(wallet_of, chosen, MAINNET, address, WallClock())
    if options.json:
        emit(report.wallet_object(checked, address, chosen))
    else:
        for line in report.wallet_lines(checked, address):
            show(line)
    return 0 if checked.passed else 1


def check_accounts(options: argparse.Namespace) -> int:
    """Compare the books of a run with the chain; 1 on a shortfall."""
    assert VOCABULARY, "event types are known before a payload is read"
    chosen, address = _chosen(options), _address(options)
    checked = anyio.run(accounts_of, options.out, chosen, MAINNET, address, WallClock())
    if options.json:
        emit(report.accounts_object(checked, address, chosen))
    else:
        for line in report.accounts_lines(checked, chosen.registry, MAINNET):
            show(line)
    return 1 if checked.differences.is_short else 0


def observe(options: argparse.Namespace) -> int:
    """Say what an address is worth and what the arena would do today; it needs no key and writes nothing."""
    burn = None if options.burn_usd_per_month is None else _burn_micro_usd(options.burn_usd_per_month)
    chosen = _chosen(options)
    address = checked_address(options.address, "--address")
    seen = anyio.run(observe_address, chosen, MAINNET, address, options.data, WallClock())
    if options.json:
        emit(report.observation_object(seen, chosen, burn_micro_usd=burn))
    else:
        for line in report.observation_lines(seen, chosen, burn_micro_usd=burn):
            show(line)
    return 0


def safe_propose(options: argparse.Namespace) -> int:
    """Write a file for the owners of a Safe; nothing is signed and nothing is sent."""
    chosen = _chosen(options)
    wanted = Wanted(
        action=options.action,
        safe=checked_address(options.safe, "--safe"),
        to=checked_address(options.to, "--to"),
        asset=None if options.asset is None else AssetId(options.asset),
        units=options.units,
        threshold=options.threshold,
    )
    if options.out is not None and options.out.exists():
        raise ConfigError(f"--out {options.out}: is there already; allowed: a new file")
    proposed = anyio.run(propose, chosen, wanted, WallClock())
    for line in report.proposal_lines(proposed):
        say(line)
    if options.out is None:
        show(proposed.text.rstrip("\n"))
        return 0
    try:
        options.out.write_text(proposed.text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {options.out}: {error.strerror or error}") from None
    say(f"written to {options.out}; load it in the Safe's Transaction Builder")
    return 0


def _chosen(options: argparse.Namespace) -> ChosenChain:
    """Return the chain that the options name."""
    return choose_chain(options.chain, options.rpc, options.registry)


def _address(options: argparse.Namespace) -> str:
    """Return the address that is named, or a keystore's."""
    if options.address is not None:
        return checked_address(options.address, "--address")
    return address_of(options.keystore)


def _typed_password() -> str:
    """Return what a person types twice, unseen."""
    first = getpass("password of the new keystore: ")
    if getpass("again: ") != first:
        raise ConfigError("the two passwords differ; nothing was written")
    return first


def _burn_micro_usd(text: str) -> int:
    """Return a monthly burn in micro-dollars."""
    dollars = Asset(id=AssetId("USD"), decimals=6, tick_exponent=0)
    try:
        burn = dollars.parse(text)
    except ValueError:
        burn = 0
    if burn <= 0:
        raise ConfigError(f"--burn-usd-per-month {text[:40]}: allowed: dollars above 0, e.g. 25000")
    return burn
