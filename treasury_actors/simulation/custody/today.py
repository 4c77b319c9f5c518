"""
What the arena would do today with the idle reserve asset, if each shipped strategy were given an equal part.

Each family decides once, as a newborn with nothing but the reserve asset, by the genome in the middle of its
ranges: no track record chose it, so this shows how the house works and is no advice. It decides on history if
there is any, else on the chain's present alone; who needs a longer past says so instead of guessing one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

from treasury_actors.agents.model.checks import checked_targets
from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.agents.model.view import View
from treasury_actors.agents.registry import families
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.adapters.csv_folder import read_folder
from treasury_actors.market.adapters.mainnet import build_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame_checks import LiveFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.life import STRATEGY_FAULTS

HISTORY_H = 2_880
"""As long as any genome may look back, four times over (`WARMUP_H_MAX`)."""

_DAY_H = 24
_NS_A_SECOND = 10**9
_CORE = ("binance.ETHUSDT", "cmc.USDC")
"""The series without which no season begins: the gas asset's and the reserve's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """
    What strategies may know.

    Attributes:
        hours: how many frames they see.
        time_s: of the newest.
        source: in words.
    """

    features: Features
    hours: int
    time_s: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What one family wants for its part.

    Attributes:
        genes: of the genome in the middle.
        targets: weights above zero, by asset; what they leave stays in the reserve asset.
        why_not: why it can't decide, in one line; empty if it did.
    """

    family: FamilyId
    genes: tuple[int, ...]
    targets: tuple[tuple[AssetId, float], ...]
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """
    Every family's wish, and their sum.

    Attributes:
        deciding: families that can decide; the idle reserve asset is divided among them alone.
        allocation: weight of each asset in all of it, the reserve asset first.
    """

    knowledge: Knowledge
    wishes: tuple[Wish, ...]
    deciding: int
    allocation: tuple[tuple[AssetId, float], ...]


def wishes_today(knowledge: Knowledge, universe: Universe) -> Today:
    """Return what the shipped families want on what is known."""
    wishes = tuple(_wish(family, knowledge, universe) for family in families(universe).values())
    able = [wish for wish in wishes if not wish.why_not]
    weights: dict[AssetId, float] = {universe.reserve: 1.0 if able else 0.0}
    for wish in able:
        for asset, weight in wish.targets:
            weights[asset] = weights.get(asset, 0.0) + weight / len(able)
            weights[universe.reserve] -= weight / len(able)
    allocation = tuple(sorted(weights.items(), key=lambda item: (item[0] != universe.reserve, -item[1])))
    return Today(
        knowledge=knowledge, wishes=wishes, deciding=len(able), allocation=allocation if able else ()
    )


def present_alone(live: LiveFrame, universe: Universe) -> Knowledge:
    """Return what is known from one judged reading of the chain: prices and rates now, no past."""
    features = Features(universe)
    features.append(live.frame)
    time_s = live.frame.time_ns // _NS_A_SECOND
    return Knowledge(features=features, hours=1, time_s=time_s, source="the chain's present alone")


def history_of(folder: Path, universe: Universe, head_s: int) -> Knowledge:
    """
    Return what a data folder tells up to the time of a chain's head, or to its own end if that is earlier.

    Raises DataError if the folder is wrong or begins after the head.
    """
    series = read_folder(folder)
    ends = [max(last for _, last in series[name].spans(_DAY_H)) for name in _CORE]
    last_ns = min(*ends, head_s * _NS_A_SECOND) // HOUR_NS * HOUR_NS
    season = build_season(
        series,
        universe=universe,
        start_ns=last_ns - (_DAY_H - 1) * HOUR_NS,
        days=1,
        warmup_h=HISTORY_H,
        place=str(folder),
        source=f"data folder {folder.name or folder.resolve().name}",
    )
    features = Features(universe)
    for frame in season.frames():
        features.append(frame)
    return Knowledge(
        features=features, hours=features.length, time_s=last_ns // _NS_A_SECOND, source=season.source
    )


def _wish(family: Family, knowledge: Knowledge, universe: Universe) -> Wish:
    """Let one family decide once."""
    genes = tuple(map(_middle, family.genes))
    needs_h = family.warmup_h(genes)
    if needs_h >= knowledge.hours and needs_h > 0:
        why_not = f"needs {needs_h} h of history, has {knowledge.hours}"
        return Wish(family=family.id, genes=genes, targets=(), why_not=why_not)
    assets: Sequence[AssetId] = family.assets(universe)
    columns = tuple(universe.column[asset] for asset in assets)
    view = View(knowledge.features, columns, knowledge.hours, 0, (0.0,) * len(columns))
    try:
        _, targets = family.decide(family.state(), view, family.genome(*genes))
        checked_targets(targets, len(columns))
    except STRATEGY_FAULTS as error:
        why_not = f"fails: {type(error).__name__}: {' '.join(str(error).split())}"
        return Wish(family=family.id, genes=genes, targets=(), why_not=why_not)
    unknown = [asset for slot, asset in enumerate(assets) if not view.tradable(slot)]
    if assets and len(unknown) == len(assets):
        why_not = f"knows no fresh price of {', '.join(unknown)}"
        return Wish(family=family.id, genes=genes, targets=(), why_not=why_not)
    wanted = tuple((asset, weight) for asset, weight in zip(assets, targets, strict=False) if weight > 0.0)
    return Wish(family=family.id, genes=genes, targets=wanted)


def _middle(gene: Gene) -> int:
    """Return the value in the middle of a gene's range: of spans of time by factors, of a mask all of it."""
    match gene.scale:
        case "log":
            return isqrt(gene.low * gene.high)
        case "mask":
            return gene.high
        case "linear":
            return (gene.low + gene.high) // 2
