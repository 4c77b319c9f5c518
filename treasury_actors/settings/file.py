"""
Config files: TOML, checked whole before anything starts, turned into each component's own rules.

A key exists only where an operator must choose or two shipped configs differ. What is wrong is named in one
line: file, key, value, allowed range.
"""

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.arena.model.allocation import PPB, AllocationPolicy
from treasury_actors.arena.model.rules import ArenaRules, RiskRules
from treasury_actors.errors import ConfigError
from treasury_actors.money import MICRO_USD
from treasury_actors.settings.approvals import ApprovalsSection
from treasury_actors.settings.live import LiveSection
from treasury_actors.settings.rules import ChainRules, HouseRules
from treasury_actors.settings.simulation import SimulationSection
from treasury_actors.settings.stakes import problem_of, stakes_of
from treasury_actors.settings.treasury import Dollars, TreasurySection
from treasury_actors.trading.model.costs import CHAINS, GWEI
from treasury_actors.trading.model.fees import FeePolicy
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.trading.model.slot_acts import WalletPolicy

L1_MANDATE_USD_MIN = 10_000
"""On an L1 a smaller mandate would feed its capital to the gas."""

IN_FLIGHT_MAX = 64
"""What a node's pool keeps of one sender."""

_SHOWN_MAX = 60
_FILE_BYTES_MAX = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2261
"""What nanoseconds since 1970 can say in 64 bits."""


def _year_of_a_journal(value: date) -> date:
    """Refuse a day whose nanoseconds since 1970 a journal can't hold."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"allowed are the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return value


Ratio: TypeAlias = Annotated[Decimal, Field(ge=0, le=1)]


class _Section(BaseModel):
    """A table of a config file: unknown keys are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SeasonSection(_Section):
    """Which market is traded."""

    source: Literal["generated", "folder", "chain"] = "generated"
    seed: int = Field(default=7, ge=0, lt=2**31)
    days: int = Field(default=180, ge=1, le=3_650)
    warmup_h: int = Field(default=2_880, ge=0, le=8_760)
    folder: str = ""
    start: Annotated[date, AfterValidator(_year_of_a_journal)] | None = None

    @model_validator(mode="after")
    def _folder_needs_a_start(self) -> "SeasonSection":
        if self.source == "folder" and not (self.folder and self.start):
            raise ValueError('source = "folder" needs `folder` and `start`')
        if self.source == "chain" and self.folder and not self.start:
            raise ValueError('source = "chain" with a `folder` for its warm-up needs `start`')
        return self


class ArenaSection(_Section):
    """Who competes for how much."""

    agents: int = Field(default=50, ge=1, le=1_000)
    capital_usd: Annotated[Dollars, Field(ge=1)] = Decimal(500_000)
    gas_usd: Annotated[Dollars, Field(ge=1)] = Decimal(5_000)
    round_h: int = Field(default=168, ge=24, le=8_760)
    reserve_ratio: Ratio = Decimal("0.10")
    agent_share_max: Ratio = Decimal("0.25")
    copy_correlation_max: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    fitness: Literal["certainty_equivalent", "brief_repaired"] = "certainty_equivalent"


class RiskSection(_Section):
    """Hard limits."""

    @model_validator(mode="after")
    def _smallest_is_not_above_largest(self) -> "RiskSection":
        if self.trade_usd_min > self.trade_usd_max:
            raise ValueError("trade_usd_min is above trade_usd_max: no order could be placed")
        return self

    trade_usd_max: Dollars = Decimal(50_000)
    trade_usd_min: Dollars = Decimal(10)
    agent_turnover_ratio_max: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(3)
    arena_turnover_usd_max: Dollars = Decimal(1_500_000)
    hour_share_max: Annotated[Decimal, Field(ge=Decimal("0.0001"), le=1)] = Decimal(1)
    agent_sends_hour_max: Annotated[int, Field(ge=1, le=10_000)] = 40
    venue_ratio_max: Ratio = Decimal(1)
    impact_bps_max: Annotated[Decimal, Field(gt=0, le=1_000)] = Decimal(50)
    agent_stop_loss_ratio: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.25")
    agent_drawdown_ratio: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.30")


class PlannerSection(_Section):
    """When a conversion is worthwhile."""

    band_bps: Annotated[Decimal, Field(ge=0, le=10_000)] = Decimal(100)
    trade_usd_min: Dollars = Decimal(25)
    cost_bps_max: Annotated[Decimal, Field(gt=0, le=10_000)] = Decimal(100)
    cash_bps: Annotated[Decimal, Field(ge=0, le=5_000)] = Decimal(50)


class StageSection(_Section):
    """Which rung of the ladder is played, by whom, and what its rounds may do."""

    name: Literal["sim", "proving", "main", "full"] = "sim"
    families: tuple[str, ...] = ()
    allocates: bool = True
    breeds: bool = True
    climbs: bool = False

    @field_validator("families", mode="before")
    @classmethod
    def _list_as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ChainSection(_Section):
    """What a transaction costs, and where conversions are real."""

    profile: Literal["base", "ethereum"] = "base"
    gas_gwei_max: Annotated[int, Field(ge=1, le=10**10)] = 10_000_000
    network: Literal["none", "rehearsal", "base"] = "none"
    tip_gwei_max: Annotated[Decimal, Field(gt=0, le=1_000)] = Decimal("0.01")
    gas_gwei_day_max: Annotated[int, Field(ge=1, le=10**11)] = 100_000_000
    confirm_blocks: Annotated[int, Field(ge=1, le=1_000)] = 10
    impact_bps_max: Annotated[int, Field(ge=1, le=500)] = 100
    depth_bps_max: Annotated[int, Field(ge=1, le=10_000)] = 100
    deadline_s: Annotated[int, Field(ge=10, le=3_600)] = 120


class JournalSection(_Section):
    """Where the head of the journal is written beside the run folder."""

    anchor_dir: str = ""


class Settings(_Section):
    """A whole config file."""

    season: SeasonSection = SeasonSection()
    stage: StageSection = StageSection()
    arena: ArenaSection = ArenaSection()
    risk: RiskSection = RiskSection()
    planner: PlannerSection = PlannerSection()
    chain: ChainSection = ChainSection()
    journal: JournalSection = JournalSection()
    live: LiveSection = LiveSection()
    approvals: ApprovalsSection = ApprovalsSection()
    simulation: SimulationSection = SimulationSection()
    treasury: TreasurySection = TreasurySection()

    @property
    def config_hash(self) -> str:
        """SHA-256 of every resolved key that decides the course of a run; where its data lie does not."""
        content = self.model_dump(
            mode="json",
            exclude={
                "journal": True,
                "live": True,
                "approvals": True,
                "simulation": {"history"} if self.simulation.agents else True,
                **({} if self.stage.climbs else {"stage": {"climbs"}}),
                "season": {"folder"},
                **({"arena": {"copy_correlation_max"}} if self.arena.copy_correlation_max == 1 else {}),
                "treasury": {"running_cost_usd_per_month"} if self.treasury.has_floor else True,
            },
        )
        return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def start_ns(self) -> int | None:
        """Time of the first frame, if the config gives one."""
        start = self.season.start
        if start is None:
            return None
        return int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()) * 10**9

    def chain_rules(self) -> ChainRules:
        """Return what is risked on the config's chain."""
        section = self.chain
        on_l1 = CHAINS[section.profile].l2_gas_gwei is None
        return ChainRules(
            policy=WalletPolicy(
                fees=FeePolicy(
                    transaction_wei_max=section.gas_gwei_max * GWEI,
                    emergency_wei_max=section.gas_gwei_max * GWEI,
                    day_wei_max=section.gas_gwei_day_max * GWEI,
                    tip_wei_max=max(1, int(section.tip_gwei_max * GWEI)),
                ),
                confirm_depth=section.confirm_blocks,
                in_flight_max=IN_FLIGHT_MAX,
            ),
            mandate_micro_usd_min=(L1_MANDATE_USD_MIN if on_l1 else 1) * MICRO_USD,
            impact_bps_max=section.impact_bps_max,
            depth_bps_max=section.depth_bps_max,
            deadline_s=section.deadline_s,
        )

    def house_rules(self, seed: int) -> HouseRules:
        """Return the rules of every component."""
        arena, risk, planner = self.arena, self.risk, self.planner
        return HouseRules(
            arena=ArenaRules(
                seed=seed,
                stage=self.stage.name,
                allocates=self.stage.allocates,
                breeds=self.stage.breeds,
                climbs=self.stage.climbs,
                population=arena.agents,
                capital_usd=arena.capital_usd,
                gas_usd=arena.gas_usd,
                round_turns=arena.round_h,
                formula=arena.fitness,
                cost_model=f"{self.chain.profile}/1",
                spending=self.treasury.spending,
                allocation=AllocationPolicy(
                    reserve_ppb=int(arena.reserve_ratio * PPB),
                    cap_ppb=max(1, int(arena.agent_share_max * PPB)),
                    copy_correlation_ppb=max(1, int(arena.copy_correlation_max * PPB)),
                ),
                risk=RiskRules(
                    trade_usd_min=risk.trade_usd_min,
                    trade_usd_max=risk.trade_usd_max,
                    agent_turnover_ratio_max=float(risk.agent_turnover_ratio_max),
                    arena_turnover_usd_max=risk.arena_turnover_usd_max,
                    venue_ratio_max=float(risk.venue_ratio_max),
                    impact_bps_max=float(risk.impact_bps_max),
                ),
            ),
            planner=PlannerPolicy(
                band_bps=float(planner.band_bps),
                trade_usd_min=float(planner.trade_usd_min),
                cost_bps_max=float(planner.cost_bps_max),
                cash_bps=float(planner.cash_bps),
            ),
            guard=GuardPolicy(
                stop_loss_ratio=float(risk.agent_stop_loss_ratio),
                drawdown_ratio_max=float(risk.agent_drawdown_ratio),
            ),
            chain=CHAINS[self.chain.profile],
            gas_wei_max=self.chain.gas_gwei_max * GWEI,
            rates=RateLimits(
                arena_day_micro_usd_max=int(risk.arena_turnover_usd_max * MICRO_USD),
                arena_sends_hour_max=risk.agent_sends_hour_max * arena.agents,
                agent_sends_hour_max=risk.agent_sends_hour_max,
                hour_bps_max=int(risk.hour_share_max * 10_000),
            ),
            supervision=SupervisionPolicy(),
        )


def load_settings(path: Path, overrides: Mapping[str, Mapping[str, object]] | None = None) -> Settings:
    """
    Read and check a config file; `overrides` (from the command line) replace keys by section.

    Raises:
        ConfigError: one line naming file, key, value and what is allowed.
    """
    place = _one_line(str(path))
    content = _read_toml(path, place)
    for section, keys in (overrides or {}).items():
        table = content.setdefault(section, {})
        if isinstance(table, dict):
            table.update(keys)
    return check_settings(content, place)


def _read_toml(path: Path, place: str) -> dict[str, Any]:
    """Read a file as TOML; whatever is wrong with it is one line."""
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{place}: not a path: {error}") from None
    if len(raw) > _FILE_BYTES_MAX:
        raise ConfigError(f"{place}: larger than {_FILE_BYTES_MAX:,} bytes: no config")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{place}: not UTF-8 text") from None
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and what it lets through
        raise ConfigError(f"{place}: not TOML: {_one_line(str(error))}") from None


def _one_line(text: str) -> str:
    """Return text fit for one line of a terminal: nothing in it can break or paint it."""
    return "".join(character if character.isprintable() else "?" for character in text)


def check_settings(content: Mapping[str, object], place: str) -> Settings:
    """Check the content of a config; `place` is named in the error."""
    try:
        settings = Settings.model_validate(_whole_numbers_as_decimals(content))
    except ValidationError as error:
        raise ConfigError(f"{place}: {_one_line(_first_problem(error))}") from None
    stakes = stakes_of(settings.house_rules(settings.season.seed), settings.chain.network)
    problem = problem_of(stakes, settings.chain_rules())
    if problem:
        raise ConfigError(f"{place}: {problem}")
    return settings


def _whole_numbers_as_decimals(content: Mapping[str, object]) -> dict[str, object]:
    """Let `500000` stand for `500000.00` where a decimal is expected; nothing else is coerced."""
    decimals = {
        (section, key)
        for section, field in Settings.model_fields.items()
        for key, info in getattr(field.annotation, "model_fields", {}).items()
        if info.annotation is Decimal
    }
    checked: dict[str, object] = {}
    for section, table in content.items():
        if not isinstance(table, dict):
            checked[section] = table
            continue
        checked[section] = {
            key: Decimal(value) if (section, key) in decimals and type(value) is int else value
            for key, value in table.items()
        }
    return checked


def _first_problem(error: ValidationError) -> str:
    """Return the first problem of a validation in one line."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in problem["loc"]) or "config"
    match problem["type"]:
        case "extra_forbidden":
            known = _known_keys(problem["loc"][:-1])
            return f"{key}: unknown key; known are {', '.join(known)}"
        case "value_error":
            allowed = str(problem["ctx"]["error"]) if "ctx" in problem else problem["msg"]
        case _:
            allowed = problem["msg"]
    return f"{key} = {_shown(problem['input'])}: {allowed[:1].lower()}{allowed[1:]}"


def _known_keys(path: tuple[int | str, ...]) -> list[str]:
    """Return the keys a table of the config may have."""
    if not path:
        return sorted(Settings.model_fields)
    section = Settings.model_fields.get(str(path[0]))
    return sorted(getattr(section.annotation, "model_fields", {})) if section else []


def _shown(value: object) -> str:
    """Return a value as a config file would have it, cut short."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."
