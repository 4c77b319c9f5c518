"""Defect 5 of the earlier attempt: capital had no source, the killed kept or lost theirs."""

from functools import cache

from tests.acceptance.houses import Lived, Sums, live, market, rules_for, usual
from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage

KINDS_THAT_MOVE_CAPITAL = {"allot", "return"}
KINDS_OF_TRADES = {"hold", "settle", "release"}
KILLED = "eth_staking-0002"


class Killed(Actor[AgentMessage]):
    """An agent that dies at every frame from the 60th on."""

    def __init__(self, agent: Actor[AgentMessage]) -> None:
        self._agent = agent

    async def receive(self, message: AgentMessage) -> object:
        assert message.frame.index < 60, "killed"
        return await self._agent.receive(message)


@cache
def with_a_kill() -> Lived:
    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Killed(agent) if spec.agent == KILLED else agent

    return live(market(8), rules_for(arena={"agents": 16}), wrap_agent=wrap)


def test_defect_5_capital_came_from_nowhere() -> None:
    """Every unit that becomes an agent's capital leaves the pool in the same entry, and comes back there."""
    moved = 0
    for row in usual().tape.rows("ledger.entry_posted"):
        if row.body["kind"] not in KINDS_THAT_MOVE_CAPITAL:
            continue
        source = {p["account"] for p in row.body["postings"] if int(p["units"]) < 0}
        target = {p["account"] for p in row.body["postings"] if int(p["units"]) > 0}
        purse = {f"agent:{row.agent}:available"}
        if row.body["kind"] == "allot":
            assert (source, target) == ({"pool:sim"}, purse)
        else:
            assert source == purse
            assert target <= {"pool:sim", "treasury:dust"}
        moved += 1

    assert moved > 50


def test_the_pool_is_filled_by_a_named_deposit_and_by_nothing_else() -> None:
    entries = [row.body for row in usual().tape.rows("ledger.entry_posted")]
    outside = [e for e in entries if any(p["account"].startswith("external:") for p in e["postings"])]

    assert [e["kind"] for e in outside] == ["deposit", "deposit"]
    assert [e["entry_id"] for e in outside] == ["season:1/deposit/pool:sim", "season:1/deposit/treasury:gas"]


def test_no_kind_of_entry_but_the_known_ones_touches_an_agent() -> None:
    kinds = {row.body["kind"] for row in usual().tape.rows("ledger.entry_posted") if row.agent}

    assert kinds <= KINDS_THAT_MOVE_CAPITAL | KINDS_OF_TRADES


def test_a_trade_of_one_agent_touches_no_other_agent() -> None:
    for row in usual().tape.rows("ledger.entry_posted"):
        agents = {
            p["account"].split(":")[1] for p in row.body["postings"] if p["account"].startswith("agent:")
        }
        assert len(agents) <= 1, row


def check_the_dead(lived: Lived) -> int:
    """Check that each closed agent returned all it had, at once and for good; return how many there are."""
    sums, closed = Sums(), list[str]()
    for row in lived.tape.rows("ledger.entry_posted", "arena.agent_closed"):
        if row.type == "arena.agent_closed":
            assert sums.of(row.agent) == {}, row
            closed.append(row.agent)
            continue
        assert row.agent not in closed, "what is closed stays closed"
        if row.body["entry_id"].endswith("/close"):
            home = sum(int(p["units"]) for p in row.body["postings"] if p["account"] == "pool:sim")
            had = sums.of(row.agent)
            assert home == had["USDC"]
        sums.add(row.body)
    return len(closed)


def test_the_culled_return_all_of_their_capital() -> None:
    assert check_the_dead(usual()) > 5


def test_the_killed_return_all_of_their_capital() -> None:
    lived = with_a_kill()

    assert check_the_dead(lived) == 1
    (closed,) = lived.tape.of("arena.agent_closed")
    assert closed.agent == KILLED


def test_returned_units_are_those_of_the_ledger() -> None:
    tape = usual().tape
    entries = {row.body["entry_id"]: row.body for row in tape.rows("ledger.entry_posted")}
    for row in tape.rows("arena.agent_closed"):
        entry = entries[f"return/{row.agent}/{row.turn}/close"]
        home = sum(int(p["units"]) for p in entry["postings"] if p["account"] == "pool:sim")
        assert int(row.body["returned_units"]) == home


def test_every_birth_is_funded_from_the_pool_or_its_refusal_is_recorded() -> None:
    tape = usual().tape
    funded = {
        (row.agent, row.turn) for row in tape.rows("ledger.entry_posted") if row.body["kind"] == "allot"
    }
    refused = {(row.agent, row.turn) for row in tape.rows("arena.capital_refused")}

    for row in tape.rows("arena.agent_born"):
        assert (row.agent, row.turn) in funded | refused


def test_conservation_counts_units_and_not_whether_all_is_allotted() -> None:
    """The earlier check asked whether everything was handed out; one made-up unit must be what fails."""
    sums = Sums()
    for row in usual().tape.rows("ledger.entry_posted"):
        sums.add(row.body)
    assert sums.units["pool:sim", "USDC"] > 0, "not all is allotted, and that is no imbalance"
    assert not usual().fold.records.book.imbalances()

    total = sum(units for (_, asset), units in sums.units.items() if asset == "USDC")
    assert total == 0
