"""`observe`: a first day without a key. What it counts is priced by oracles; what it can't price it names."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from tests.integration.evm.custody.vault import A_USDC, FIRST, POOL_UNITS, USDC, WETH, Vault
from treasury_actors.cli.main import main
from treasury_actors.ids import AssetId
from treasury_actors.simulation.rehearsal.deploy_safe import create_safe
from treasury_actors.trading.model.ray import RAY

LINK, VAULT_SHARE = AssetId("LINK"), AssetId("fUSDC")
FEED_PLACES = 8
DATA = Path(__file__).parents[4] / ".." / "shared" / "data"


async def observed(vault: Vault, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    """Return what `observe` says of the wallet, or of another address."""
    where = ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]
    argv = ["observe", *where, "--json", *(() if "--address" in more else ("--address", vault.wallet)), *more]
    assert await asyncio.to_thread(main, argv) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


async def answer_of(vault: Vault, asset: AssetId) -> int:
    """Return the newest answer of an asset's feed."""
    return await vault.world.writer.number(vault.world.feeds[asset].proxy, "latestAnswer()")


def usd_of(answer: dict[str, object], asset: str) -> object:
    positions = answer["positions"]
    assert isinstance(positions, list)
    return {position["asset"]: position["usd"] for position in positions}[asset]


def text(micro_usd: int) -> str:
    return f"{micro_usd // 10**6}.{micro_usd % 10**6:06d}"


async def test_the_nav_is_units_times_oracle_rounds_to_the_micro_dollar(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    weth, usdc = 3 * 10**18 + 1, 123_456_789
    await vault.world.fund_gas(vault.wallet, 0)
    await vault.world.fund(vault.wallet, WETH, weth)
    await vault.world.fund(vault.wallet, USDC, usdc)

    answer = await observed(vault, capsys)

    answer_weth, answer_usdc = await answer_of(vault, WETH), await answer_of(vault, USDC)
    in_weth = weth * ((answer_weth + 5) // 10) * 10**6 // 10 ** (18 + FEED_PLACES - 1)  # a tick is 1e-7 USD
    in_usdc = usdc * answer_usdc * 10**6 // 10 ** (6 + FEED_PLACES)
    assert (usd_of(answer, "WETH"), usd_of(answer, "USDC")) == (text(in_weth), text(in_usdc))
    assert answer["nav_usd"] == text(in_weth + in_usdc)
    assert answer["idle_usd"] == text(in_usdc)
    assert answer["idle_ratio"] == in_usdc / (in_weth + in_usdc)
    assert (answer["read_only"], answer["kind"], answer["left_out"]) == (True, "a plain wallet", [])


async def test_lent_and_deposited_dollars_are_counted_with_what_they_earned(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    units, usdc = 10**9, vault.world.tokens[USDC]
    pool, share = vault.world.aave.pool, vault.world.tokens[VAULT_SHARE]
    await vault.world.fund(vault.wallet, USDC, 2 * units)
    for spender in (pool, share):
        await vault.act(vault.wallet, usdc, "approve(address,uint256)", spender, units)
    supply = "supply(address,uint256,address,uint16)"
    await vault.act(vault.wallet, pool, supply, usdc, units, vault.wallet, 0)
    await vault.act(vault.wallet, share, "deposit(uint256,address)", units, vault.wallet)
    await vault.world.move_to(replace(FIRST, time_ns=FIRST.time_ns + 30 * 86_400 * 10**9))

    answer = await observed(vault, capsys, "--burn-usd-per-month", "500")

    read, price = vault.world.writer.number, await answer_of(vault, USDC)
    scaled = await read(vault.world.tokens[A_USDC], "scaledBalanceOf(address)", vault.wallet)
    index = await read(pool, "getReserveNormalizedIncome(address)", usdc)
    lent = scaled * index * price * 10**6 // (RAY * 10 ** (6 + FEED_PLACES))
    assert abs(float(str(usd_of(answer, "aUSDC"))) - lent / 10**6) < 10**-6, "to the micro-dollar"
    assert lent > 1_001 * 10**6, "a month's interest is in it"
    amounts = {p["asset"]: p["amount"] for p in answer["positions"]}  # type: ignore[attr-defined]
    assert amounts["aUSDC"] == text(await vault.held(A_USDC, vault.wallet))
    shares = await read(share, "balanceOf(address)", vault.wallet)
    worth = await read(share, "convertToAssets(uint256)", shares)
    assert abs(float(str(usd_of(answer, "fUSDC"))) - worth * price / 10**14) < 0.01
    venues = {p["asset"]: p["venue"] for p in answer["positions"]}  # type: ignore[attr-defined]
    assert venues == {"fUSDC": "fluid", "aUSDC": "aave-v3", "ETH": "wallet"}
    assert answer["idle_usd"] == "0.000000"
    months = answer["runway_months"]
    assert isinstance(months, dict)
    assert 4.0 < months["reserve"] < 4.1 < months["nav"]


def without_feed(name: str) -> Callable[[Vault], None]:
    """Return what takes a feed out of the registry."""

    def spoil(vault: Vault) -> None:
        content = json.loads(vault.registry.read_text(encoding="utf-8"))
        content["contracts"] = [c for c in content["contracts"] if c["name"] != name]
        vault.registry.write_text(json.dumps(content), encoding="utf-8")

    return spoil


async def test_a_price_nobody_pinned_is_named_and_left_out_and_never_guessed(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund_gas(vault.wallet, 0)
    await vault.world.fund(vault.wallet, LINK, 10**20)
    await vault.world.fund(vault.wallet, USDC, 10**6)
    without_feed("chainlink:LINK/USD")(vault)

    answer = await observed(vault, capsys)

    assert answer["left_out"] == ["LINK"]
    assert usd_of(answer, "LINK") is None
    assert answer["nav_usd"] == usd_of(answer, "USDC")


async def test_a_chain_that_does_not_price_the_reserve_is_refused(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    without_feed("chainlink:USDC/USD")(vault)
    where = ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]

    assert await asyncio.to_thread(main, ["observe", *where, "--address", vault.wallet]) == 78
    assert "no token or no feed of USDC; allowed: both" in capsys.readouterr().err


async def test_a_share_falls_with_its_underlying(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    token, pool = vault.world.tokens[AssetId("USDT")], vault.world.aave.pool
    await vault.world.fund(vault.wallet, AssetId("USDT"), 10**6)
    await vault.act(vault.wallet, token, "approve(address,uint256)", pool, 10**6)
    supply = "supply(address,uint256,address,uint16)"
    await vault.act(vault.wallet, pool, supply, token, 10**6, vault.wallet, 0)
    without_feed("chainlink:USDT/USD")(vault)

    answer = await observed(vault, capsys)

    assert answer["left_out"] == ["aUSDT"]
    positions = answer["positions"]
    assert isinstance(positions, list)
    assert positions[0]["why_not"] == "its underlying: no feed of it is pinned on rehearsal"


async def test_a_pool_that_contradicts_the_oracle_is_counted_by_the_oracle_and_named(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    await vault.world.fund(vault.wallet, WETH, 10**18)
    mover, weth = vault.world.roles.arbitrageur, vault.world.tokens[WETH]
    swap = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    words = (weth, vault.world.tokens[USDC], 500, mover, 2**256 - 1, 2_000 * 10**18, 0, 0)
    await vault.act(mover, vault.world.uniswap.router, swap, words)

    answer = await observed(vault, capsys)

    assert answer["left_out"] == []
    doubts = answer["doubts"]
    assert isinstance(doubts, list)
    assert [doubt.split(": ")[:2] for doubt in doubts] == [
        ["WETH", "prices_disagree"],
        ["ETH", "prices_disagree"],
    ]
    ticks = (await answer_of(vault, WETH) + 5) // 10
    assert usd_of(answer, "WETH") == text(10**18 * ticks * 10**6 // 10**25)


async def test_a_feed_that_fell_silent_has_no_price(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    await vault.world.fund(vault.wallet, USDC, 10**6)
    block = await vault.world.writer.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
    assert isinstance(block, dict)
    await vault.world.advance_to((int(str(block["timestamp"]), 16) + 25 * 3_600 + 60) * 10**9)

    answer = await observed(vault, capsys)

    assert answer["left_out"] == ["USDC", "ETH"]
    positions = answer["positions"]
    assert isinstance(positions, list)
    assert positions[0]["why_not"].startswith("stale_price: ")
    today = answer["today"]
    assert isinstance(today, dict)
    deciding = [wish["family"] for wish in today["strategies"] if wish["decides"]]
    assert deciding == ["idle_cash"], "nobody decides on prices that aren't known"


async def test_a_safe_is_shown_with_its_owners_and_what_bypasses_them(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    async with vault.world.writer.blocks():
        owners = sorted([vault.accounts[4], vault.accounts[5]])
        shared = await create_safe(vault.world.writer, vault.world.safe, owners=owners, threshold=2, salt=3)
    # What a Safe writes when its owners enable a module: the head of the list of modules points to it.
    module, head = "0x" + "ab" * 20, "cc69885fda6bcc1a4ace058b4a62bf5e179ea78fd58a1ccd71c22cc9b688792f"
    link = "0x" + "00" * 12 + module[2:]
    ends = "0x" + "00" * 31 + "01"
    await vault.world.writer.ask("anvil_setStorageAt", shared, "0x" + head, link)
    tail = "0x" + keccak_pair(module)
    await vault.world.writer.ask("anvil_setStorageAt", shared, tail, ends)

    plain = await observed(vault, capsys, "--address", vault.safe)
    risky = await observed(vault, capsys, "--address", shared)

    assert plain["kind"] == "a Safe 1.4.1, 1 of 1 must sign"
    assert plain["safe"]["owners"] == [vault.owner.address]  # type: ignore[index]
    assert plain["safe"]["modules"] == []  # type: ignore[index]
    assert risky["safe"]["threshold"] == 2  # type: ignore[index]
    assert [m.lower() for m in risky["safe"]["modules"]] == [module]  # type: ignore[index]
    where = ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]
    assert await asyncio.to_thread(main, ["observe", *where, "--address", shared]) == 0
    said = capsys.readouterr().out
    assert "WARNING: modules may move everything without an owner" in said
    assert "read-only: no key is needed" in said


def keccak_pair(module: str) -> str:
    """Return the storage slot of a module's successor: `modules` is the mapping in slot 1."""
    return bytes(keccak(bytes(12) + bytes.fromhex(module[2:]) + (1).to_bytes(32))).hex()


async def test_what_the_arena_would_do_adds_up_to_the_idle_dollars(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await observed(vault, capsys, "--address", vault.safe)

    today = answer["today"]
    assert isinstance(today, dict)
    wishes = {wish["family"]: wish for wish in today["strategies"]}
    assert wishes["trend"]["decides"] is False
    assert wishes["trend"]["why_not"] == "needs 868 h of history, has 1"
    assert wishes["idle_cash"] == {
        "family": "idle_cash", "genes": [], "decides": True, "why_not": "", "targets": {}
    }  # fmt: skip
    assert wishes["threshold_rebalance"]["targets"] == {"WETH": 0.3, "WBTC": 0.2, "aUSDC": 0.35}
    assert abs(sum(row["ratio"] for row in today["allocation"]) - 1.0) < 1e-9
    idle = POOL_UNITS * await answer_of(vault, USDC) / 10**14
    assert abs(sum(float(row["usd"]) for row in today["allocation"]) - idle) < 0.001
    assert all(row["pinned"] for row in today["allocation"])


@pytest.mark.skipif(not DATA.is_dir(), reason="no real data beside the checkout (../shared/data)")
async def test_with_history_every_strategy_decides_and_its_age_is_said(
    vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    years = FIRST.time_ns + 25 * 365 * 86_400 * 10**9
    await vault.world.move_to(replace(FIRST, time_ns=years))

    answer = await observed(vault, capsys, "--address", vault.safe, "--data", str(DATA))

    today = answer["today"]
    assert isinstance(today, dict)
    assert [wish["family"] for wish in today["strategies"] if not wish["decides"]] == []
    assert (today["history_h"], today["as_of"]) == (2_904, "2024-11-08T00:00:00+00:00")
    unpinned = [row["asset"] for row in today["allocation"] if not row["pinned"]]
    assert unpinned == ["wstETH"], "no contract of it is pinned here, and that is said"
    where = ["--rpc", vault.url, "--chain", "rehearsal", "--registry", str(vault.registry)]
    argv = ["observe", *where, "--address", vault.safe, "--data", str(DATA)]
    assert await asyncio.to_thread(main, argv) == 0
    assert "OLD DATA: they end " in capsys.readouterr().out


@pytest.mark.parametrize("burn", ["0", "-1", "much", "1e999", "nan"])
def test_a_burn_that_is_no_money_is_refused(burn: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["observe", "--rpc", "https://x", "--chain", "base", "--address", "0x" + "ab" * 20]

    assert main([*argv, f"--burn-usd-per-month={burn}"]) == 78
    assert "allowed: dollars above 0" in capsys.readouterr().err
