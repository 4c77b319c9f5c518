"""The folds of a walk-forward: what each may learn from, validate on, and is tested on once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.agents.model.family import Family
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import DAY_FRAMES, Span, TooShort, Window, check_disjoint
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.utc import utc_text
from treasury_actors.simulation.evidence.archive import load_archive
from treasury_actors.simulation.evidence.arms import Grounds
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.grounds import make_grounds
from treasury_actors.simulation.evidence.history import Archive, History, MakeEvaluator
from treasury_actors.simulation.plan import recipe_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """
    One step of a walk-forward.

    Attributes:
        start_ns: when its test begins.
        spans: what fitness may be made of, all of it before `validation`; this before `test`.
    """

    number: int
    start_ns: int
    spans: tuple[Span, ...]
    validation: Window
    test: Window


def make_folds(
    archive: Archive, config: EvidenceConfig, *, start_ns: int | None, end_ns: int | None
) -> tuple[Fold, ...]:
    """
    Return the folds whose tests, laid end to end, fill the time from `start_ns` to `end_ns`.

    A fold lies within one history: where the data have a gap the tests pause, and the last one before it
    and the last one of all may be short. Without bounds, tests begin as soon as there is anything before
    them to validate on.

    Raises:
        ConfigError: there is no day to test on.
    """
    own = config.sections.windows
    folds: list[Fold] = []
    for place, history in enumerate(archive.histories):
        season = history.season
        frame = max(0, own.warmup_h - season.warmup_count)
        if start_ns is not None:
            frame = max(frame, -(-(start_ns - history.start_ns) // (HOUR_NS * DAY_FRAMES)) * DAY_FRAMES)
        last = season.frame_count - 1
        if end_ns is not None:
            last = min(last, (end_ns - history.start_ns) // HOUR_NS)
        while (days := min(own.test_days, (last - frame) // DAY_FRAMES)) >= 1:
            test = Window(history=history.name, label=history.label, first_frame=frame, days=days)
            learnt = _before(archive.histories[: place + 1], test, config)
            if learnt is not None:
                spans, validation = learnt
                folds.append(
                    Fold(
                        number=len(folds),
                        start_ns=history.start_ns + frame * HOUR_NS,
                        spans=spans,
                        validation=validation,
                        test=test,
                    )
                )
            frame += days * DAY_FRAMES
    if not folds:
        known = ", ".join(
            f"{utc_text(each.start_ns)}..{utc_text(each.start_ns + each.season.frame_count * HOUR_NS)}"
            for each in archive.histories
        )
        raise ConfigError(f"walk-forward: no day to test on; the data have {known}")
    check_disjoint([fold.test for fold in folds], embargo_h=0)
    return tuple(folds)


def _before(
    histories: Sequence[History], test: Window, config: EvidenceConfig
) -> tuple[tuple[Span, ...], Window] | None:
    """Return what a test may have learnt from: validation just before it, or before the gap, and the rest."""
    own = config.sections.windows
    cut = test.first_frame - own.embargo_h
    for place in range(len(histories) - 1, -1, -1):
        history = histories[place]
        end = cut if place == len(histories) - 1 else history.season.frame_count - 1
        first = end - own.validation_days * DAY_FRAMES
        if first < max(0, own.warmup_h - history.season.warmup_count):
            continue
        validation = Window(
            history=history.name, label=history.label, first_frame=first, days=own.validation_days
        )
        spans = [_span(each, each.season.frame_count - 1) for each in histories[:place]]
        return (*spans, _span(history, first - own.embargo_h)), validation
    return None


def _span(history: History, end_frame: int) -> Span:
    """Return a history up to a frame."""
    return Span(
        history=history.name,
        label=history.label,
        first_frame=0,
        end_frame=end_frame,
        warmup_count=history.season.warmup_count,
    )


def data_ground(
    config: EvidenceConfig,
    folder: Path | None,
    seed: int,
    *,
    families: Mapping[FamilyId, Family],
    make: MakeEvaluator,
) -> tuple[Archive, Grounds | TooShort]:
    """Return all of a folder's data, or the config's own season, and where to search on it."""
    own = config.sections.windows
    if folder is None:
        archive = Archive(histories=(History(season=recipe_of(config.house).build()),))
    else:
        archive = load_archive(folder.resolve(), own.warmup_h)
    last = archive.histories[-1]
    after = Window(
        history=last.name, label=last.label, first_frame=last.season.frame_count - 1 + own.embargo_h, days=1
    )
    learnt = _before(archive.histories, after, config)
    if learnt is None:
        reason = f"{last.season.frame_count // DAY_FRAMES} days leave none to validate on"
        return archive, TooShort(windows=0, needed=own.count, reason=reason)
    spans, validation = learnt
    return archive, make_grounds(
        archive, spans, validation, config, families=families, make=make, seed=seed, in_world=False
    )
