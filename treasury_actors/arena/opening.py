"""How a season opens: capital is deposited, the first agents are born and get equal mandates."""

from dataclasses import replace

from treasury_actors.arena.capital import Capital
from treasury_actors.arena.messages import OpenSeason
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentRetired,
    CapitalRefused,
    GenomeRefused,
    SeasonOpened,
)
from treasury_actors.arena.model.roster import Member
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.arena.ports import RosterKeeper
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.breeding import initial_families, initial_genome
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId, FamilyId
from treasury_actors.ledger.model import DUST, GAS, available, held, pool
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.money import split_by_largest_remainder
from treasury_actors.trading.model.mandate import Limits, Mandate

_ATTEMPTS_MAX = 200
SEASON_OVER = "the season is over"


class Opening:
    """Opens a season on behalf of the arena."""

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

    async def open(self, message: OpenSeason) -> int:
        """Open the season; return how many agents were born."""
        opened = SeasonOpened(
            season=message.season,
            seed=message.seed,
            label=message.label,
            source=message.source,
            data_hash=message.data_hash,
            config_hash=message.config_hash,
            start_ns=message.frame.time_ns,
            frames=message.frames,
            population=self._rules.population,
        )
        self._arena.record(opened, why=f"season:{message.season}")
        carried = await self._sweep(message)
        pool_units = await self._capital.deposit(message.season, self._rules, message.frame)
        if self._rules.climbs:
            return 0
        genomes = [*carried, *self._first_genomes(message)][: self._rules.population]
        room = await self._capital.floor_room_units(self._rules, message.frame)
        shares = split_by_largest_remainder(min(pool_units, room), [1] * len(genomes))
        gas_shares = await self._capital.gas_shares(self._rules, len(genomes))
        for (genome, parent), units, gas_wei in zip(genomes, shares, gas_shares, strict=True):
            capital, total = (self._capital.micro_usd(each, message.frame) for each in (units, pool_units))
            limits = self._rules.limits_for(capital, total, gas_wei=gas_wei, gas_round=0)
            agent = await self._bear(genome, parent, units, limits, message.frame)
            if room < pool_units:
                refused = CapitalRefused(
                    agent=agent,
                    turn=message.frame.index,
                    wanted_units=pool_units // len(genomes),
                    free_units=units,
                    reason="runway_floor",
                )
                self._arena.record(refused, why=f"birth:{agent}")
        return len(genomes)

    async def _sweep(self, message: OpenSeason) -> list[tuple[Genome, Member | None]]:
        """End what a past season left; return the genomes of its survivors: they live on as newborns."""
        survivors = self._arena.roster.living()
        left = [*self._arena.roster.open(), *self._arena.roster.closing()]
        accounts = [pool(self._rules.stage), GAS, DUST]
        for member in left:
            agent = member.born.agent
            if member.is_open:
                retired = AgentRetired(agent=agent, turn=0, reason=SEASON_OVER)
                self._arena.record(retired, why=f"death:{agent}")
            self._arena.record(AgentClosed(agent=agent, turn=0, returned_units=0), why=f"death:{agent}")
            accounts += [available(agent), held(agent)]
        if left:
            await self._capital.sweep(message.season, accounts)
            mandates = [m.mandate for m in left if m.mandate is not None]
            await self._arena.set_mandates([replace(m, status="closed", due_units=0) for m in mandates])
        return [(member.genome, member) for member in survivors]

    def _first_genomes(self, message: OpenSeason) -> list[tuple[Genome, Member | None]]:
        """Draw a genome for every slot; one that can't warm up is named and drawn again."""
        families = self._neighbours.families
        dealt = initial_families(list(families), self._rules.population)
        return [(self._first_genome(family, slot, message), None) for slot, family in enumerate(dealt)]

    def _first_genome(self, family_id: FamilyId, slot: int, message: OpenSeason) -> Genome:
        """Draw the genome of one slot."""
        family = self._neighbours.families[family_id]
        for attempt in range(_ATTEMPTS_MAX):
            genome = initial_genome(family, message.seed, slot, attempt)
            warmup_h = family.warmup_h(genome.genes)
            if warmup_h <= message.warmup_frames:
                return genome
            refused = GenomeRefused(
                family=family_id, genome=genome.id, warmup_h=warmup_h, history_h=message.warmup_frames
            )
            self._arena.record(refused, why=f"slot:{slot}")
        raise ConfigError(
            f"family {family_id}: no genome can warm up on {message.warmup_frames} h of history before the"
            " season; start the season later or leave the family out"
        )

    async def _bear(
        self, genome: Genome, parent: Member | None, units: int, limits: Limits, frame: MarketFrame
    ) -> AgentId:
        """Let one agent be born with its capital; `parent` ran the same genome in the season before."""
        number = self._arena.roster.births + 1
        agent = AgentId(f"{genome.family}-{number:04d}")
        born = AgentBorn(
            agent=agent,
            number=number,
            family=genome.family,
            genes=genome.genes,
            genome=genome.id,
            turn=frame.index,
            generation=parent.born.generation if parent else 0,
            parents=(parent.born.agent,) if parent else (),
            operator="carried" if parent else "initial",
        )
        self._arena.record(born, why=f"birth:{agent}")
        self._tracks.begin(agent, frame)
        await self._arena.spawn(
            Mandate(agent=agent, stage=self._rules.stage, status="active", due_units=0, limits=limits)
        )
        if units:
            await self._capital.allot(agent, units, frame)
            after = await self._capital.nav(agent, frame)
            self._tracks.flow(agent, frame.index, 0, after)
            self._arena.touch(agent)
        return agent
