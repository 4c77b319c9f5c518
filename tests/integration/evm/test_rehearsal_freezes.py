"""An agent that is down on a chain keeps what it has there: a crash sells nothing, and books stay equal."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.acceptance.falling import falling
from treasury_actors.agents.messages import StateRecorded
from treasury_actors.arena.model.events import AgentFrozen, AgentRetired
from treasury_actors.cli.main import main
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.journal.reader import open_readonly
from treasury_actors.ledger.model import Entry, available, held
from treasury_actors.simulation.rehearsal import run
from treasury_actors.simulation.run import RunPlan, in_simulated_time
from treasury_actors.trading.model.order import OrderAccepted, OrderFilled

CONFIG = Path(__file__).parents[3] / "configs" / "proving_grounds.toml"
VICTIM = AgentId("risk_parity-0004")
AGENTS = 10
CRASHES_FROM = 12
"""By then it has bought on the chain."""


@dataclass(frozen=True)
class Played:
    """A rehearsal in which one agent is put away: its exit code, its report, all its events."""

    code: int
    report: dict[str, object]
    events: list[object]

    @property
    def frozen_at(self) -> int:
        """Return the place of the freeze among the events."""
        (place,) = [place for place, event in enumerate(self.events) if isinstance(event, AgentFrozen)]
        return place

    def owned(self, end: int) -> dict[AssetId, int]:
        """Return what the victim owned after the first events."""
        owned: dict[AssetId, int] = {}
        accounts = (available(VICTIM), held(VICTIM))
        for event in self.events[:end]:
            if isinstance(event, Entry):
                for posting in event.postings:
                    if posting.account in accounts:
                        owned[posting.asset] = owned.get(posting.asset, 0) + posting.units
        return {asset: units for asset, units in owned.items() if units}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, evm_packages: Path) -> Played:
    """Play two days in which one agent dies at every turn from the first noon on."""
    pytest.importorskip("eth_account", reason="needs the chain extra")

    def sabotaged(plan: RunPlan) -> RunPlan:
        wrap = falling(lambda index: index >= CRASHES_FROM, who=lambda agent: agent == VICTIM)
        return replace(in_simulated_time(plan), wrap_agent=wrap)

    folder = tmp_path_factory.mktemp("freeze") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "in_simulated_time", sabotaged)
        code = main(["rehearse", str(CONFIG), "--days", "2", "--out", str(folder)])
    with open_readonly(folder / "journal.db") as journal:
        events = [recorded.event for recorded in journal.read()]
    report = json.loads((folder / "rehearsal.json").read_text(encoding="utf-8"))
    return Played(code=code, report=report, events=events)


def test_what_a_frozen_agent_has_bought_on_a_chain_stays_where_it_is(played: Played) -> None:
    before = played.owned(played.frozen_at)
    afterwards = played.events[played.frozen_at :]

    assert played.code == 0
    assert len(before) > 1, "it holds positions"
    assert played.owned(len(played.events)) == before
    assert not [
        event for event in afterwards if isinstance(event, OrderAccepted) and event.order.agent == VICTIM
    ]
    assert not [event for event in afterwards if isinstance(event, AgentRetired) and event.agent == VICTIM]


def test_the_others_go_on_and_the_books_equal_the_chain(played: Played) -> None:
    afterwards = played.events[played.frozen_at :]

    deciding = {event.agent for event in afterwards if isinstance(event, StateRecorded)}

    assert len(deciding) == AGENTS - 1
    assert VICTIM not in deciding
    assert any(isinstance(event, OrderFilled) for event in afterwards), "and some of them traded"
    assert played.report["books"] == {"equal": True, "differences": []}
