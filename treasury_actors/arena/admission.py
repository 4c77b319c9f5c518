"""How agents come up to a stage with money: born with a mandate each, paid from the pool of that stage."""

from treasury_actors.arena.capital import Capital
from treasury_actors.arena.messages import Admit, Entrant
from treasury_actors.arena.model.events import AgentBorn, CapitalRefused, GenomeRefused
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.arena.ports import RosterKeeper
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import pool
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.model.mandate import Limits, Mandate


class Admission:
    """Lets agents up on behalf of the arena. Whatever is refused, nothing of it has moved."""

    def __init__(
        self,
        *,
        neighbours: Neighbours,
        rules: ArenaRules,
        capital: Capital,
        tracks: Tracks,
        arena: RosterKeeper,
    ) -> None:
        self._neighbours = neighbours
        self._rules = rules
        self._capital = capital
        self._tracks = tracks
        self._arena = arena

    async def admit(self, message: Admit) -> tuple[AgentId, ...]:
        """Let entrants be born, in order, as long as the pool can pay; return who was."""
        units = self._capital.units(message.micro_usd, message.frame)
        fit = [entrant for entrant in message.entrants if self._can_warm_up(entrant)]
        gas_shares = await self._capital.gas_shares(self._rules, len(fit))
        room = await self._capital.floor_room_units(self._rules, message.frame)
        born = []
        for entrant, gas_wei in zip(fit, gas_shares, strict=True):
            number = self._arena.roster.births + 1
            agent = AgentId(f"{entrant.family}-{number:04d}")
            in_pool = await self._capital.pool_units(pool(message.stage))
            if not 0 < units <= min(in_pool, room):
                refused = CapitalRefused(
                    agent=agent,
                    turn=message.frame.index,
                    wanted_units=units,
                    free_units=min(in_pool, room),
                    reason="exceeds_pool" if in_pool <= room else "runway_floor",
                )
                self._arena.record(refused, why=f"admission:{message.stage}")
                continue
            limits = self._rules.limits_for(
                message.micro_usd,
                max(message.micro_usd, int(self._rules.capital_usd * MICRO_USD)),
                gas_wei=gas_wei,
                gas_round=len(self._arena.roster.rounds),
            )
            await self._bear(agent, number, entrant, message, limits)
            await self._pay(agent, units, message)
            room -= units
            born.append(agent)
        return tuple(born)

    def _can_warm_up(self, entrant: Entrant) -> bool:
        """Say whether there is enough history for a genome; refuse it by an event if not."""
        warmup_h = self._neighbours.families[entrant.family].warmup_h(entrant.genes)
        history_h = self._neighbours.features.length
        if warmup_h <= history_h:
            return True
        genome = Genome(family=entrant.family, genes=entrant.genes).id
        refused = GenomeRefused(family=entrant.family, genome=genome, warmup_h=warmup_h, history_h=history_h)
        self._arena.record(refused, why=f"admission:{entrant.parent}")
        return False

    async def _bear(
        self, agent: AgentId, number: int, entrant: Entrant, message: Admit, limits: Limits
    ) -> None:
        """Record a birth and a mandate; the agent decides from the next turn on."""
        born = AgentBorn(
            agent=agent,
            number=number,
            family=entrant.family,
            genes=entrant.genes,
            genome=Genome(family=entrant.family, genes=entrant.genes).id,
            turn=message.frame.index,
            generation=entrant.generation,
            parents=(entrant.parent,),
            operator="promoted",
        )
        self._arena.record(born, why=f"birth:{agent}")
        self._tracks.begin(agent, message.frame)
        await self._arena.spawn(
            Mandate(agent=agent, stage=message.stage, status="active", due_units=0, limits=limits)
        )

    async def _pay(self, agent: AgentId, units: int, message: Admit) -> None:
        """Give an agent its capital."""
        before = await self._capital.nav(agent, message.frame)
        await self._capital.allot(agent, units, message.frame)
        after = await self._capital.nav(agent, message.frame)
        self._tracks.flow(agent, message.frame.index, before, after)
        self._arena.touch(agent)
