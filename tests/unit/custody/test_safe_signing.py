"""What a key signs for a Safe, and what a keystore says of itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.trading.adapters.evm.safe import transaction_hash
from treasury_actors.trading.adapters.evm.signer import LocalSigner, keystore_address, new_keystore
from treasury_actors.trading.model.safe import (
    DELEGATECALL,
    SafeReason,
    SafeState,
    SafeTransaction,
    refusal_of,
)

KEY = "0x" + "11" * 32
LOCAL = 31_337
SAFE = "0x" + "5a" * 20
OTHER = "0x" + "07" * 20
TX = SafeTransaction(chain_id=LOCAL, safe=SAFE, to=OTHER, value_wei=0, data="0xabcdef", nonce=4)
OWNER = LocalSigner(KEY, chain_id=LOCAL).address
STATE = SafeState(
    chain_id=LOCAL,
    address=SAFE,
    block=1,
    kind="Safe",
    version="1.4.1",
    owners=(OWNER.lower(),),
    threshold=1,
    nonce=4,
    modules=(),
    guard=None,
    fallback_handler=None,
)


def test_the_signature_recovers_to_the_owner_of_exactly_our_hash() -> None:
    signature = LocalSigner(KEY, chain_id=LOCAL).sign_safe(TX)

    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert Account._recover_hash(transaction_hash(TX), signature=signature) == OWNER


@pytest.mark.parametrize(
    "other",
    [
        replace(TX, nonce=5),
        replace(TX, chain_id=8453),
        replace(TX, safe=OTHER),
        replace(TX, to=SAFE),
        replace(TX, value_wei=1),
        replace(TX, data="0x"),
        replace(TX, operation=DELEGATECALL),
    ],
)
def test_every_field_changes_the_hash(other: SafeTransaction) -> None:
    assert transaction_hash(other) != transaction_hash(TX)


@pytest.mark.parametrize("other", [replace(TX, chain_id=8453), replace(TX, operation=DELEGATECALL)])
def test_another_chain_and_a_delegatecall_are_never_signed(other: SafeTransaction) -> None:
    with pytest.raises(InvariantViolated):
        LocalSigner(KEY, chain_id=LOCAL).sign_safe(other)


def test_the_one_owner_may_sign_the_next_plain_call() -> None:
    assert refusal_of(STATE, TX, OWNER) is None


@pytest.mark.parametrize(
    ("state", "transaction", "signer", "reason"),
    [
        (STATE, replace(TX, operation=DELEGATECALL), OWNER, SafeReason.DELEGATECALL),
        (STATE, replace(TX, operation=2), OWNER, SafeReason.DELEGATECALL),
        (STATE, replace(TX, chain_id=1), OWNER, SafeReason.OTHER_CHAIN),
        (STATE, replace(TX, safe=OTHER), OWNER, SafeReason.OTHER_SAFE),
        (STATE, replace(TX, nonce=3), OWNER, SafeReason.EXECUTED),
        (STATE, replace(TX, nonce=5), OWNER, SafeReason.OUT_OF_TURN),
        (STATE, TX, OTHER, SafeReason.NOT_AN_OWNER),
        (replace(STATE, threshold=2), TX, OWNER, SafeReason.MORE_MUST_SIGN),
    ],
)
def test_everything_else_is_refused_by_name(
    state: SafeState, transaction: SafeTransaction, signer: str, reason: SafeReason
) -> None:
    refusal = refusal_of(state, transaction, signer)

    assert refusal is not None
    assert refusal.reason is reason


@pytest.fixture(scope="module")
def text() -> str:
    return new_keystore("correct horse battery")


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_keystore_says_its_address_and_the_password_proves_it(tmp_path: Path, text: str) -> None:
    keystore = written(tmp_path / "key.json", text)
    password = written(tmp_path / "password", "correct horse battery\n")

    said = keystore_address(keystore)

    assert said.lower() == "0x" + json.loads(text)["address"].lower()
    assert keystore_address(keystore, password) == said


def test_a_keystore_that_names_another_address_than_its_keys_is_found_out(tmp_path: Path, text: str) -> None:
    keystore = written(tmp_path / "key.json", json.dumps(json.loads(text) | {"address": OTHER[2:]}))
    password = written(tmp_path / "password", "correct horse battery\n")

    assert keystore_address(keystore).lower() == OTHER, "without a password nothing protects it"
    with pytest.raises(ConfigError, match="its key is that of"):
        keystore_address(keystore, password)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"address": 7}', '{"address": "0x12"}'])
def test_a_file_without_an_address_is_no_keystore(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match="not a keystore"):
        keystore_address(written(tmp_path / "key.json", content))
