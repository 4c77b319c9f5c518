"""The proving grounds by their one command: a real node, real contracts, and books equal to the chain."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.cli.main import main
from treasury_actors.journal.reader import open_readonly
from treasury_actors.trading.model.transaction import TxMined, TxPlanned

CONFIG = Path(__file__).parents[3] / "configs" / "proving_grounds.toml"
DAYS = 2


@dataclass(frozen=True)
class Played:
    """A rehearsal that was played: its exit code, its report, its folder, all its events."""

    code: int
    report: dict[str, object]
    folder: Path
    events: list[object]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, evm_packages: Path) -> Played:
    """Play two days, attacked and dusted, once for all tests of this file."""
    pytest.importorskip("eth_account", reason="needs the chain extra")
    folder = tmp_path_factory.mktemp("rehearsal") / "run"
    code = main(["rehearse", str(CONFIG), "--days", str(DAYS), "--out", str(folder)])
    with open_readonly(folder / "journal.db") as journal:
        events = [recorded.event for recorded in journal.read()]
    report = json.loads((folder / "rehearsal.json").read_text())
    return Played(code=code, report=report, folder=folder, events=events)


def test_its_books_equal_the_chain_to_the_unit_though_strangers_sent_dust_at_every_turn(
    played: Played,
) -> None:
    events = played.events
    inflows = [event for event in events if getattr(event, "kind", "") == "inflow"]

    assert played.code == 0
    assert played.report["books"] == {"equal": True, "differences": []}, "I30"
    assert len(inflows) > DAYS * 24, "dust of several assets a turn was booked outside the NAV"


def test_its_report_has_every_key_of_the_contract(played: Played) -> None:
    assert played.report["label"] == "REHEARSAL, SYNTHETIC LIQUIDITY"
    assert played.report["chain_id"] == 31337
    assert played.report["agents"] == 10
    assert played.report["days"] == DAYS
    assert {"trades", "transactions", "gas_usd", "slippage_bps", "graduates", "vetoed", "wall_s"} <= set(
        played.report
    )


def test_every_trade_has_a_transaction_that_was_mined(played: Played) -> None:
    lines = (played.folder / "transactions.csv").read_text().splitlines()
    events = played.events
    mined = {event.tx_hash for event in events if isinstance(event, TxMined)}

    assert len(lines) == 1 + int(str(played.report["trades"])) > 5
    assert all(line.rsplit(",", 1)[1] in mined for line in lines[1:])


def test_agents_of_several_families_traded_at_several_venues(played: Played) -> None:
    lines = (played.folder / "transactions.csv").read_text().splitlines()[1:]

    assert len({line.split("-", 1)[0] for line in lines}) >= 3
    assert {line.split(",")[3].split("@")[1] for line in lines} >= {"uniswap-v3", "aave-v3"}


def test_no_approval_is_more_than_the_call_after_it_takes(played: Played) -> None:
    events = played.events
    approvals = [
        int(event.call.data[-64:], 16)
        for event in events
        if isinstance(event, TxPlanned) and event.call.data.startswith("0x095ea7b3")
    ]

    assert approvals
    assert max(approvals) <= 1_100 * 10**6, "I31: a mandate of $1,000 never allows more than it has"


def test_who_was_sandwiched_lost_no_more_than_the_independent_price_allows(played: Played) -> None:
    slippage = played.report["slippage_bps"]

    assert int(str(played.report["sandwich_attacks"])) > 0
    assert isinstance(slippage, dict)
    assert 10 < slippage["max"] <= 100, "I26: the bound is 100 bps, and the attacker went for it"


def test_nobody_graduates_before_thirty_days(played: Played) -> None:
    vetoed = played.report["vetoed"]

    assert played.report["graduates"] == []
    assert isinstance(vetoed, list)
    assert all("too_young" in each["vetoes"] for each in vetoed)


def test_a_config_without_a_local_chain_is_no_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["rehearse", str(CONFIG.with_name("simulation.toml"))])

    assert code == 78
    assert 'a rehearsal wants "rehearsal"' in capsys.readouterr().err
