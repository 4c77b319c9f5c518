"""`safe-propose`: what it writes does on the real contracts what it says, and what must not be is refused."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.integration.evm.custody.vault import POOL_UNITS, USDC, Vault
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.values import to_data
from treasury_actors.cli.main import main
from treasury_actors.simulation.rehearsal.contracts import call_data
from treasury_actors.simulation.rehearsal.deploy_safe import create_safe
from treasury_actors.trading.adapters.evm.safe import (
    EXECUTE,
    execution_values,
    read_safe,
    transaction_hash,
)
from treasury_actors.trading.model.safe import SafeState, SafeTransaction

THOUSAND = 1_000 * 10**6
NEW_OWNER = "0x" + "77" * 20


def argv(vault: Vault, *more: str, safe: str = "") -> list[str]:
    where = ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]
    return ["safe-propose", *where, "--safe", safe or vault.safe, *more]


async def run(words: list[str]) -> int:
    return await asyncio.to_thread(main, words)


def call_of(batch: dict[str, object]) -> tuple[str, str]:
    """Return target and calldata as the Builder makes them: from the method and the values, by other code."""
    transactions = batch["transactions"]
    assert isinstance(transactions, list)
    [transaction] = transactions
    assert transaction["data"] is None
    method, given = transaction["contractMethod"], transaction["contractInputsValues"]
    kinds = [argument["type"] for argument in method["inputs"]]
    values = [
        int(given[argument["name"]]) if argument["type"] == "uint256" else given[argument["name"]]
        for argument in method["inputs"]
    ]
    return transaction["to"], call_data(f"{method['name']}({','.join(kinds)})", *values)


async def executed(vault: Vault, batch: dict[str, object]) -> SafeTransaction:
    """Let the owner sign what the Builder would propose, and execute it."""
    to, data = call_of(batch)
    state = await read_safe(vault.rpc, vault.safe, LOCAL_CHAIN_ID)
    assert isinstance(state, SafeState)
    tx = SafeTransaction(
        chain_id=LOCAL_CHAIN_ID, safe=vault.safe, to=to, value_wei=0, data=data, nonce=state.nonce
    )
    values = execution_values(tx, vault.owner.sign_safe(tx))
    await vault.act(vault.accounts[8], vault.safe, EXECUTE.signature, *values)
    return tx


async def test_a_funding_pays_the_wallet_and_its_hash_is_the_one_that_was_printed(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fund.json"
    words = argv(vault, "--to", vault.wallet, "--asset", "USDC", "--units", str(THOUSAND), "--out", str(out))

    assert await run(words) == 0
    said = capsys.readouterr()
    tx = await executed(vault, json.loads(out.read_text(encoding="utf-8")))

    assert said.out == ""
    assert "transfer 1000.000000 USDC" in said.err
    assert f"owners (1 of 1 must sign): {vault.owner.address}" in said.err
    [printed] = re.findall(r"^  (0x[0-9a-f]{64})$", said.err, re.MULTILINE)
    assert printed == to_data(transaction_hash(tx))
    assert await vault.held(USDC, vault.wallet) == THOUSAND
    assert await vault.held(USDC, vault.safe) == POOL_UNITS - THOUSAND


async def test_all_it_holds_may_be_proposed_and_one_unit_more_may_not(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    fund = ["--to", vault.wallet, "--asset", "USDC", "--units"]

    assert await run(argv(vault, *fund, str(POOL_UNITS))) == 0
    batch = json.loads(capsys.readouterr().out)
    assert await run(argv(vault, *fund, str(POOL_UNITS + 1))) == 78

    assert batch["transactions"][0]["contractInputsValues"]["value"] == str(POOL_UNITS)
    assert f"allowed: at most {POOL_UNITS}" in capsys.readouterr().err


async def test_the_file_names_chain_safe_and_the_heads_time(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    words = argv(vault, "--to", vault.wallet, "--asset", "USDC", "--units", "1")
    block = await vault.world.writer.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
    assert isinstance(block, dict)

    assert await run(words) == 0
    first = capsys.readouterr().out
    assert await run(words) == 0

    batch = json.loads(first)
    assert (batch["version"], batch["chainId"]) == ("1.0", "31337")
    assert batch["createdAt"] == int(str(block["timestamp"]), 16) * 1_000
    assert batch["meta"]["createdFromSafeAddress"] == vault.safe
    assert first == capsys.readouterr().out, "the same chain gives the same bytes"


async def test_an_exact_allowance_is_set_and_taken_back(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    allow = ["--action", "allowance", "--to", vault.wallet, "--asset", "USDC", "--units"]
    for units in (THOUSAND, 0):
        assert await run(argv(vault, *allow, str(units))) == 0
        await executed(vault, json.loads(capsys.readouterr().out))

        token = vault.world.tokens[USDC]
        found = await vault.world.writer.number(token, "allowance(address,address)", vault.safe, vault.wallet)
        assert found == units


@pytest.mark.parametrize(("threshold", "after"), [(None, 1), (2, 2)])
async def test_a_new_owner_is_added_with_the_threshold_that_was_asked_for(
    vault: Vault, capsys: pytest.CaptureFixture[str], threshold: int | None, after: int
) -> None:
    more = [] if threshold is None else ["--threshold", str(threshold)]

    assert await run(argv(vault, "--action", "add-owner", "--to", NEW_OWNER, *more)) == 0
    said = capsys.readouterr()
    await executed(vault, json.loads(said.out))

    state = await read_safe(vault.rpc, vault.safe, LOCAL_CHAIN_ID)
    assert isinstance(state, SafeState)
    assert (len(state.owners), state.threshold) == (2, after)
    assert NEW_OWNER in state.owners
    assert f"afterwards {after} of 2 must sign" in said.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--to", "{wallet}", "--asset", "USDC"], "--units: missing"),
        (["--to", "{wallet}", "--units", "1"], "--asset: missing"),
        (["--to", "{wallet}", "--asset", "USDC", "--units", "0"], "allowed: from 1"),
        (["--to", "{wallet}", "--asset", "DOGE", "--units", "1"], "--asset DOGE: allowed: WETH, USDC"),
        (["--to", "{safe}", "--asset", "USDC", "--units", "1"], "another address than the Safe's own"),
        (
            ["--to", "0x" + "00" * 20, "--asset", "USDC", "--units", "1"],
            "another address than the Safe's own",
        ),
        (["--to", "{token}", "--asset", "USDC", "--units", "1"], "what is sent there is lost"),
        (["--to", "0x12", "--asset", "USDC", "--units", "1"], "0x and 40 hex digits"),
        (["--to", "{wallet}", "--asset", "USDC", "--units", "1", "--threshold", "1"], "--threshold: allowed"),
        (["--to", "{owner}", "--action", "add-owner"], "is an owner already"),
        (["--to", "{wallet}", "--action", "add-owner", "--threshold", "3"], "allowed: 1 to 2"),
        (["--to", "{wallet}", "--action", "add-owner", "--threshold", "0"], "allowed: 1 to 2"),
        (["--to", "{wallet}", "--action", "add-owner", "--asset", "USDC"], "--asset: allowed with"),
    ],
)
async def test_what_must_not_be_proposed_is_one_line_that_says_what_may(
    vault: Vault, capsys: pytest.CaptureFixture[str], words: list[str], named: str
) -> None:
    places = {
        "wallet": vault.wallet,
        "safe": vault.safe,
        "token": vault.world.tokens[USDC],
        "owner": vault.owner.address,
    }

    assert await run(argv(vault, *(word.format(**places) for word in words))) == 78

    said = capsys.readouterr()
    assert named in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize("place", ["wallet", "token"])
async def test_what_is_no_safe_is_refused_before_anything_is_written(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    address, out = (
        {"wallet": vault.accounts[9], "token": vault.world.tokens[USDC]}[place],
        tmp_path / "a.json",
    )
    fund = ["--to", vault.wallet, "--asset", "USDC", "--units", "1", "--out", str(out)]

    assert await run(argv(vault, *fund, safe=address)) == 78
    assert "not_a_safe" in capsys.readouterr().err
    assert not out.exists()


async def test_a_token_whose_code_is_not_the_pinned_one_is_refused(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.writer.ask("anvil_setCode", vault.world.tokens[USDC], "0x6001")

    assert await run(argv(vault, "--to", vault.wallet, "--asset", "USDC", "--units", "1")) == 78
    assert "USDC: OTHER_CODE" in capsys.readouterr().err


async def test_a_file_is_never_overwritten(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fund.json"
    out.write_text("signed already", encoding="utf-8")
    fund = ["--to", vault.wallet, "--asset", "USDC", "--units", "1", "--out", str(out)]

    assert await run(argv(vault, *fund)) == 78
    assert out.read_text(encoding="utf-8") == "signed already"
    assert "allowed: a new file" in capsys.readouterr().err


async def test_a_safe_of_several_owners_is_proposed_to_with_all_of_them_shown(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    owners = sorted([vault.accounts[3], vault.accounts[4], vault.accounts[5]])
    async with vault.world.writer.blocks():
        shared = await create_safe(vault.world.writer, vault.world.safe, owners=owners, threshold=2, salt=9)
    await vault.world.fund(shared, USDC, THOUSAND)
    fund = ["--to", vault.wallet, "--asset", "USDC", "--units", "1"]

    assert await run(argv(vault, *fund, safe=shared)) == 0
    said = capsys.readouterr().err
    assert "2 of 3 must sign" in said
    assert all(owner.lower() in said.lower() for owner in owners)
