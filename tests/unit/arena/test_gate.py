"""The gate of a turn opens when everybody has answered or is known to be down, in any order."""

from treasury_actors.agents.messages import Decided
from treasury_actors.arena.gate import TurnGate
from treasury_actors.ids import AgentId

ANN, BOB = AgentId("ann-0001"), AgentId("bob-0002")


def decided(agent: AgentId, turn: int = 3) -> Decided:
    return Decided(agent, turn, (), ordered=False)


async def test_decisions_come_in_the_order_of_names_not_of_arrival() -> None:
    gate = TurnGate()
    gate.close(3, [ANN, BOB])
    gate.tell(decided(BOB))
    gate.tell(decided(ANN))

    assert [each.agent for each in await gate.opened()] == [ANN, BOB]


async def test_a_crash_counts_as_an_answer() -> None:
    gate = TurnGate()
    gate.close(3, [ANN, BOB])
    gate.tell(decided(BOB))
    gate.down(ANN)
    gate.down(ANN)  # a second crash in the same turn

    assert [each.agent for each in await gate.opened()] == [BOB]


async def test_late_strange_and_double_answers_change_nothing() -> None:
    gate = TurnGate()
    gate.close(3, [ANN, BOB])
    gate.tell(decided(ANN, turn=2))
    gate.tell(decided(AgentId("eve-0009")))
    gate.tell(decided(ANN))
    gate.tell(decided(ANN))
    assert not gate._opened.is_set()
    gate.tell(decided(BOB))

    assert len(await gate.opened()) == 2


async def test_a_turn_without_agents_is_over_at_once() -> None:
    gate = TurnGate()
    gate.close(3, [])

    assert await gate.opened() == []
