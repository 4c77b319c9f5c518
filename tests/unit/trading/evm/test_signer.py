"""Who may sign: keys in keystores that nobody else can read, raw keys nowhere but on the local chain."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.trading.adapters.evm.signer import (
    SCRYPT_N_MIN,
    KeystoreSigner,
    LocalSigner,
    new_keystore,
)
from treasury_actors.trading.model.fees import Fees
from treasury_actors.trading.model.slot_acts import Sign
from treasury_actors.trading.model.transaction import Call, SlotId

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the published one of account 0
BASE = 8_453
ROOT = Path(__file__).resolve().parents[4]


def sign_of(sender: str, chain_id: int, nonce: int = 7) -> Sign:
    return Sign(
        slot=SlotId(chain_id=chain_id, sender=sender, nonce=nonce),
        attempt=0,
        kind="call",
        call=Call(
            to="0x70997970C51812dc3A010C7d01b50e0d17dc79C8", value_wei=3, data="0xabcd", gas_limit=50_000
        ),
        fees=Fees(max_fee_wei=10**9, tip_wei=10**8),
    )


@pytest.fixture(scope="module")
def text() -> str:
    return new_keystore("correct horse")


def files(tmp_path: Path, text: str, word: str = "correct horse\n") -> tuple[Path, Path]:
    keystore, secret = tmp_path / "key.json", tmp_path / "password"
    for path, content in ((keystore, text), (secret, word)):
        path.write_text(content)
        path.chmod(0o600)
    return keystore, secret


def test_the_bytes_say_what_was_asked_for() -> None:
    signer = LocalSigner(KEY, chain_id=31_337)
    signed = signer.sign(sign_of(signer.address, 31_337))

    assert Account.recover_transaction(signed.raw) == signer.address
    assert len(signed.tx_hash) == 66
    assert signed == signer.sign(sign_of(signer.address, 31_337)), "the same call has the same bytes"


def test_another_chain_and_another_key_are_never_signed_for() -> None:
    signer = LocalSigner(KEY, chain_id=31_337)

    with pytest.raises(InvariantViolated, match="I22"):
        signer.sign(sign_of(signer.address, BASE))
    with pytest.raises(InvariantViolated, match="I22"):
        signer.sign(sign_of("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", 31_337))


class Bent:
    """A library that signs something else than it was asked for."""

    def __init__(self, other: dict[str, object]) -> None:
        self._other = other
        self._account = Account.from_key(KEY)
        self.address = self._account.address

    def sign_transaction(self, fields: dict[str, object]) -> object:
        return self._account.sign_transaction({**fields, **self._other})


@pytest.mark.parametrize(
    "other",
    [{"nonce": 8}, {"value": 4}, {"to": "0x" + "11" * 20}, {"data": "0x"}, {"maxFeePerGas": 10**10}],
    ids=str,
)
def test_bytes_that_say_something_else_are_never_handed_out(
    other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = LocalSigner(KEY, chain_id=31_337)
    monkeypatch.setattr(signer, "_account", Bent(other))

    with pytest.raises(InvariantViolated, match="I22: the bytes"):
        signer.sign(sign_of(signer.address, 31_337))


def test_a_process_that_holds_a_key_leaves_no_core_behind(tmp_path: Path, text: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        KeystoreSigner(*files(tmp_path, text), chain_id=BASE)
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_raw_key_is_refused_off_the_local_chain() -> None:
    with pytest.raises(ConfigError, match="local chain"):
        LocalSigner(KEY, chain_id=BASE)


def test_a_keystore_signs_for_the_chain_it_is_pinned_to(tmp_path: Path, text: str) -> None:
    signer = KeystoreSigner(*files(tmp_path, text), chain_id=BASE)
    signed = signer.sign(sign_of(signer.address, BASE))

    assert signer.address.lower().endswith(json.loads(text)["address"].lower())
    assert Account.recover_transaction(signed.raw) == signer.address


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, text: str, which: int) -> None:
    paths = files(tmp_path, text)
    paths[which].chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        KeystoreSigner(*paths, chain_id=BASE)


def test_a_wrong_password_is_refused_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="does not open") as refused:
        KeystoreSigner(*files(tmp_path, text, "battery staple\n"), chain_id=BASE)

    assert "battery" not in str(refused.value)


def test_a_keystore_that_is_cheap_to_guess_is_refused(tmp_path: Path, text: str) -> None:
    content = json.loads(text)
    content["crypto"]["kdfparams"]["n"] = SCRYPT_N_MIN // 2

    with pytest.raises(ConfigError, match="scrypt"):
        KeystoreSigner(*files(tmp_path, json.dumps(content)), chain_id=BASE)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"crypto": 1}', "\0"])
def test_what_is_no_keystore_is_called_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match="not a keystore"):
        KeystoreSigner(*files(tmp_path, content), chain_id=BASE)


def test_a_missing_file_is_named(tmp_path: Path, text: str) -> None:
    keystore, secret = files(tmp_path, text)
    secret.unlink()

    with pytest.raises(ConfigError, match="password: No such file"):
        KeystoreSigner(keystore, secret, chain_id=BASE)


LIMIT = """
import sys
before = sys.getrecursionlimit()
from treasury_actors.trading.adapters.evm.signer import LocalSigner
LocalSigner({key!r}, chain_id=31337)
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
"""


def test_signing_leaves_the_recursion_limit_of_the_process_as_it_was() -> None:
    """The library lifts it to 100,000: then nested input of others ends the process instead of raising."""
    done = subprocess.run(
        [sys.executable, "-c", LIMIT.format(key=KEY)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
