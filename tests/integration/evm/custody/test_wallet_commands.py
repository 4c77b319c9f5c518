"""`check-wallet` and `check-accounts` against a real node: every way a wallet can be not what we mean."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.integration.evm.custody.vault import A_USDC, USDC, WETH, Vault
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.cli.main import main
from treasury_actors.clock import VirtualClock
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.ledger.model import DEPOSITS, GAS, RESERVE, UNSOLICITED, Entry, Posting, available
from treasury_actors.simulation.run import JOURNAL_NAME

ETHER, ETH, ANN = 10**18, AssetId("ETH"), available(AgentId("trend-0001"))
POOLED = 5_000_000_123


def options(vault: Vault) -> list[str]:
    return ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]


async def run(*argv: str) -> int:
    """Run a command beside the loop of the test; its output is captured all the same."""
    return await asyncio.to_thread(main, list(argv))


async def failures(vault: Vault, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the names of the lines that fail for the wallet."""
    code = await run("check-wallet", *options(vault), "--address", vault.wallet, "--json")
    checked = json.loads(capsys.readouterr().out)
    assert code == (0 if checked["ok"] else 1)
    return [line["name"] for line in checked["checks"] if not line["ok"]]


async def test_a_wallet_with_nothing_strange_about_it_passes(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund(vault.wallet, USDC, POOLED)

    assert await failures(vault, capsys) == []
    assert await run("check-wallet", *options(vault), "--address", vault.wallet) == 0
    said = capsys.readouterr().out
    assert said.endswith("All ok\n")
    assert "5000.000123" in said
    assert "FAIL" not in said


async def test_an_allowance_at_rest_fails_until_it_is_taken_back(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    token, router = vault.world.tokens[USDC], vault.world.uniswap.router
    await vault.act(vault.wallet, token, "approve(address,uint256)", router, 1)

    assert await failures(vault, capsys) == ["allowance USDC"]
    await vault.act(vault.wallet, token, "approve(address,uint256)", router, 0)
    assert await failures(vault, capsys) == []


async def test_a_transaction_we_did_not_send_shows_while_it_waits(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = vault.world.writer.ask
    await ask("evm_setAutomine", False)  # noqa: FBT003
    try:
        foreign = {"from": vault.wallet, "to": vault.accounts[9], "value": "0x1", "gas": hex(21_000)}
        await ask("eth_sendTransaction", {**foreign, "maxFeePerGas": hex(10**13)})

        assert await failures(vault, capsys) == ["nonce"]
    finally:
        await ask("anvil_dropAllTransactions")
        await ask("evm_setAutomine", True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("code", "named"), [("0xef0100" + "ab" * 20, "EIP-7702"), ("0x6001", "is a contract")]
)
async def test_a_wallet_that_a_contract_acts_for_fails(
    vault: Vault, capsys: pytest.CaptureFixture[str], code: str, named: str
) -> None:
    await vault.world.writer.ask("anvil_setCode", vault.wallet, code)

    assert await failures(vault, capsys) == ["account"]
    await run("check-wallet", *options(vault), "--address", vault.wallet)
    assert named in capsys.readouterr().out


async def test_a_wallet_that_cannot_pay_for_gas_fails(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund_gas(vault.wallet, 0)

    assert await failures(vault, capsys) == ["gas"]


async def test_a_node_on_another_chain_fails_and_nothing_more_is_asked(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("check-wallet", "--rpc", vault.url, "--chain", "base", "--address", vault.wallet) == 1

    said = capsys.readouterr().out
    assert f"is on chain 31337; allowed: {BASE.chain_id}" in said
    assert "PASS" not in said


async def test_swapped_decimals_in_the_registry_are_refused(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(vault.registry.read_text(encoding="utf-8"))
    next(token for token in content["tokens"] if token["asset"] == "USDC")["decimals"] = 18
    vault.registry.write_text(json.dumps(content), encoding="utf-8")

    assert await run("check-wallet", *options(vault), "--address", vault.wallet) == 78
    assert "USDC: 18 decimals; allowed: 6" in capsys.readouterr().err


async def test_code_that_changed_since_it_was_pinned_fails_by_name(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.writer.ask("anvil_setCode", vault.world.uniswap.quoter, "0x6001")

    assert await failures(vault, capsys) == ["registry uniswap-v3:quoter"]


async def journal_of(folder: Path, *postings: tuple[AccountId, AssetId, int]) -> None:
    """Write a run folder whose books hold these units, deposited from outside."""
    folder.mkdir()
    journal = await SqliteJournal.open(
        folder / JOURNAL_NAME, clock=VirtualClock(), durable=False, verify_chain=False, epoch=0
    )
    for number, (account, asset, units) in enumerate(postings):
        entry = Entry(
            entry_id=EntryId(f"deposit/{number}"),
            kind="deposit",
            postings=(
                Posting(account=DEPOSITS, asset=asset, units=-units),
                Posting(account=account, asset=asset, units=units),
            ),
        )
        journal.append(entry, stream="ledger", time_ns=number)
    await journal.close()


async def supplied(vault: Vault, units: int) -> int:
    """Let the wallet lend at Aave; return the scaled units it has got."""
    usdc, pool = vault.world.tokens[USDC], vault.world.aave.pool
    await vault.act(vault.wallet, usdc, "approve(address,uint256)", pool, units)
    supply = "supply(address,uint256,address,uint16)"
    await vault.act(vault.wallet, pool, supply, usdc, units, vault.wallet, 0)
    token = vault.world.tokens[A_USDC]
    return await vault.world.writer.number(token, "scaledBalanceOf(address)", vault.wallet)


async def compared(
    vault: Vault, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, object]]:
    code = await run(
        "check-accounts", *options(vault), "--address", vault.wallet, "--out", str(folder), "--json"
    )
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, answer


async def test_books_of_many_accounts_equal_one_wallet_while_interest_accrues(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund(vault.wallet, USDC, POOLED)
    lent = await supplied(vault, 1_000_000_000)
    native = await vault.world.writer.ask("eth_getBalance", vault.wallet, "latest")
    folder = tmp_path / "run"
    await journal_of(
        folder,
        (RESERVE, USDC, POOLED - 1_000_000_000 - 7),
        (ANN, USDC, 7),
        (ANN, A_USDC, lent),
        (GAS, ETH, int(str(native), 16)),
    )
    before = await vault.held(A_USDC, vault.wallet)
    await vault.world.writer.ask("evm_setNextBlockTimestamp", await head_s(vault) + 30 * 86_400)
    await vault.world.writer.ask("evm_mine")

    code, answer = await compared(vault, folder, capsys)

    assert await vault.held(A_USDC, vault.wallet) > before, "interest came"
    assert (code, answer["ok"], answer["equal"]) == (0, True, True)
    assert (answer["shortfalls"], answer["surpluses"]) == ([], [])


async def head_s(vault: Vault) -> int:
    block = await vault.world.writer.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
    assert isinstance(block, dict)
    return int(str(block["timestamp"]), 16)


async def test_one_missing_unit_fails_and_a_gift_does_not(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund(vault.wallet, USDC, 10)
    await vault.world.fund(vault.wallet, WETH, 3)
    await vault.world.fund_gas(vault.wallet, 0)
    short, rich = tmp_path / "short", tmp_path / "rich"
    await journal_of(short, (RESERVE, USDC, 11), (RESERVE, WETH, 3))
    await journal_of(rich, (RESERVE, USDC, 10))

    missing = await compared(vault, short, capsys)
    gift = await compared(vault, rich, capsys)

    assert missing[0] == 1
    assert missing[1]["shortfalls"] == [{"asset": "USDC", "units": "1", "books": "11", "chain": "10"}]
    assert gift[0] == 0
    assert gift[1]["surpluses"] == [{"asset": "WETH", "units": "3", "books": "0", "chain": "3"}]
    assert await run("check-accounts", *options(vault), "--address", vault.wallet, "--out", str(short)) == 1
    said = capsys.readouterr().out
    assert "SHORTFALL  0.000001 USDC (1 units): books 11, chain 10" in said
    assert "trading must not start" in said


async def test_a_gift_that_was_booked_is_expected_in_the_wallet(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund(vault.wallet, USDC, 15)
    await vault.world.fund_gas(vault.wallet, 0)
    folder = tmp_path / "run"
    await journal_of(folder, (RESERVE, USDC, 10), (UNSOLICITED, USDC, 5))

    code, answer = await compared(vault, folder, capsys)

    assert (code, answer["equal"]) == (0, True)


async def test_code_that_is_not_pinned_is_shown_to_be_pinned(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(vault.registry.read_text(encoding="utf-8"))
    pinned = content["contracts"][0]["code_hash"]
    content["contracts"][0]["code_hash"] = None
    vault.registry.write_text(json.dumps(content), encoding="utf-8")

    assert await run("check-wallet", *options(vault), "--address", vault.wallet) == 0
    name = content["contracts"][0]["name"]
    assert f"note  code of {name} is not pinned; it is {pinned}\n" in capsys.readouterr().out


async def test_a_folder_without_a_journal_is_refused(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["check-accounts", *options(vault), "--address", vault.wallet, "--out", str(tmp_path)]

    assert await run(*argv) == 78
    assert "no journal there; allowed: a run folder" in capsys.readouterr().err


WALLET = "0x976EA74026E726554dB657fA54763abd0C3a0aa9"
BAD: list[tuple[list[str], str]] = [
    (["--rpc", "ftp://x", "--chain", "base", "--address", WALLET], "allowed: https"),
    (["--rpc", "http://example.org", "--chain", "base", "--address", WALLET], "allowed: https"),
    (["--rpc", "https://x", "--chain", "mainnet", "--address", WALLET], "allowed: base, rehearsal"),
    (["--rpc", "https://x", "--chain", "rehearsal", "--address", WALLET], "needs --registry"),
    (["--rpc", "https://x", "--chain", "base", "--registry", "a", "--address", WALLET], "base is pinned"),
    (["--rpc", "https://x", "--chain", "rehearsal", "--registry", "/none", "--address", WALLET], "/none: No"),
    (["--rpc", "https://x", "--chain", "base", "--address", "0x12"], "0x and 40 hex digits"),
    (["--rpc", "https://x", "--chain", "base", "--address", WALLET.replace("aa9", "AA9")], "checksum"),
    (["--rpc", "https://x", "--chain", "base", "--address", "0x " + "ab " * 13], "0x and 40 hex digits"),
    (["--rpc", "https://x", "--chain", "base", "--keystore", "/none"], "/none: No such file"),
]


@pytest.mark.parametrize(("argv", "named"), BAD)
def test_a_bad_option_is_one_line_that_says_what_is_allowed(
    argv: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-wallet", *argv]) == 78

    said = capsys.readouterr()
    assert named in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_base_registry_is_no_rehearsal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "registry.json"
    path.write_text(registry_to_json(BASE), encoding="utf-8")
    argv = ["--rpc", "https://x", "--chain", "rehearsal", "--registry", str(path), "--address", WALLET]

    assert main(["check-wallet", *argv]) == 78
    assert "chain_id 8453; allowed: 31337" in capsys.readouterr().err


def test_nobody_at_the_other_end_is_a_fault_and_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--rpc", "http://127.0.0.1:9", "--chain", "base", "--address", WALLET]

    assert main(["check-wallet", *argv]) == 69
    said = capsys.readouterr()
    assert "127.0.0.1:9" in said.err
    assert said.out == ""
