"""Who comes up is paid from the pool of the stage, as far as it reaches; nothing moves for who is refused."""

from dataclasses import replace

import pytest

from tests.unit.arena.test_capital import capital_of
from tests.unit.trading.desk import USDC, Desk, Direct, frame, now
from treasury_actors.agents.registry import families
from treasury_actors.arena.admission import Admission
from treasury_actors.arena.capital import Capital
from treasury_actors.arena.messages import Admit, Entrant
from treasury_actors.arena.model.events import AgentBorn, CapitalRefused, GenomeRefused
from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId, FamilyId
from treasury_actors.ledger.messages import Deposit
from treasury_actors.ledger.model import available, pool
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.model.mandate import Mandate

RULES = ArenaRules(seed=1, stage="sim", population=2, capital_usd=1_000, gas_usd=10, climbs=True)
THOUSAND = 1_000 * MICRO_USD


class Keeper:
    """A roster whose changes are kept as a list; no actor is started."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.events: list[object] = []

    def record(self, event: object, *, why: str = "") -> None:
        self.events.append(event)
        self.roster.apply(event)

    async def spawn(self, mandate: Mandate) -> None:
        self.record(mandate)

    async def set_mandates(self, mandates: list[Mandate]) -> None:
        raise NotImplementedError

    async def retire(self, agent: AgentId, reason: str) -> None:
        raise NotImplementedError

    async def collect(self, mandate: Mandate, due_units: int, frame: MarketFrame, why: str) -> Mandate:
        raise NotImplementedError

    def touch(self, agent: AgentId) -> None:
        assert agent in self.roster.members


def room(desk: Desk, keeper: Keeper) -> tuple[Admission, Capital]:
    """Return the way up over the real ledger."""
    neighbours = replace(capital_of(desk)._neighbours, families=families(MAINNET))
    capital = Capital(neighbours=neighbours, rules=RULES, roster=keeper.roster)
    tracks = Tracks(universe=MAINNET, lending_benchmark=AssetId("aUSDC"))
    return Admission(
        neighbours=neighbours, rules=RULES, capital=capital, tracks=tracks, arena=keeper
    ), capital


def fund(desk: Desk, account: AccountId, units: int) -> None:
    """Put money into an account."""
    message = Deposit(entry_id=EntryId(f"to {account}"), account=account, asset=USDC, units=units, reason="")
    now(Direct(desk.ledger).ask(message, timeout_s=1.0))


def idlers(count: int) -> tuple[Entrant, ...]:
    """Return entrants that need no history."""
    one = Entrant(family=FamilyId("idle_cash"), genes=(), generation=3, parent=AgentId("sim:idle_cash-0001"))
    return (one,) * count


@pytest.fixture
def desk() -> Desk:
    """Return a desk without money."""
    return Desk(gas_wei=0)


def test_ten_thousand_open_ten_mandates_and_never_an_eleventh(desk: Desk) -> None:
    keeper = Keeper()
    admission, capital = room(desk, keeper)
    fund(desk, pool("proving"), 10 * THOUSAND)
    fund(desk, pool("sim"), 10 * THOUSAND)
    message = Admit(frame=frame(0), stage="proving", entrants=idlers(11), micro_usd=THOUSAND)
    born = now(admission.admit(message))

    refused = [event for event in keeper.events if isinstance(event, CapitalRefused)]
    assert len(born) == 10
    assert [(each.reason, each.free_units) for each in refused] == [("exceeds_pool", 0)]
    assert desk.units(pool("proving"), USDC) == 0
    assert desk.units(pool("sim"), USDC) == 10 * THOUSAND
    assert all(desk.units(available(agent), USDC) == THOUSAND for agent in born)
    assert capital.pool_of(born[0]) == pool("proving")


def test_who_comes_up_keeps_its_parent_and_generation(desk: Desk) -> None:
    keeper = Keeper()
    admission, _ = room(desk, keeper)
    fund(desk, pool("main"), THOUSAND)
    now(admission.admit(Admit(frame=frame(0), stage="main", entrants=idlers(1), micro_usd=THOUSAND)))

    born = next(event for event in keeper.events if isinstance(event, AgentBorn))
    assert (born.parents, born.generation, born.operator) == (("sim:idle_cash-0001",), 3, "promoted")
    mandate = keeper.roster.members[born.agent].mandate
    assert mandate is not None
    assert mandate.stage == "main"


def test_a_genome_without_its_history_is_refused_and_nothing_moves(desk: Desk) -> None:
    keeper = Keeper()
    admission, _ = room(desk, keeper)
    fund(desk, pool("proving"), THOUSAND)
    family = families(MAINNET)[FamilyId("trend")]
    genes = tuple(gene.high for gene in family.genes)
    entrant = Entrant(family=family.id, genes=genes, generation=0, parent=AgentId("sim:trend-0001"))
    message = Admit(frame=frame(0), stage="proving", entrants=(entrant,), micro_usd=THOUSAND)

    assert now(admission.admit(message)) == ()
    assert [type(event) for event in keeper.events] == [GenomeRefused]
    assert desk.units(pool("proving"), USDC) == THOUSAND
