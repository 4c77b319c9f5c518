"""
The check of a user's strategy file: whether its code can be trusted with a backtest.

It runs the file over a generated season, over the same season with another future, with none, with less
history and an hour late, over odd data, and in two further processes; and it reads its text.
"""

import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import View
from treasury_actors.clock import Clock, WallClock
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.lifeline import Lifeline
from treasury_actors.simulation.rewrite import cut_after, odd_season, with_history, with_other_future
from treasury_actors.simulation.strategy_report import Check, CheckReport
from treasury_actors.simulation.strategy_source import outside_sources
from treasury_actors.simulation.strategy_trace import (
    default_rules,
    first_difference,
    live,
    load,
    sample_genomes,
)
from treasury_actors.trading.model.guard import GuardPolicy

CAPITALS_USD = (1_000, 10_000, 100_000)
FRAGILE_FALL_RATIO = 0.5
"""A strategy that loses more of its gain than this when it acts one frame later is fragile."""
GAIN_RATIO_MIN = 0.001
"""A smaller gain over the season is none: there is nothing that could fall."""
MONTHLY_COST_RATIO_MAX = 0.01
_AFTER_FRAMES = 240
_MONTH_DAYS = 30
_TIMEOUT_S = 120.0
_TOLERANCE = 1e-6
_NEVER = GuardPolicy(stop_loss_ratio=2.0, drawdown_ratio_max=2.0)
"""No guard closes a life in odd data, where every strategy loses: all frames shall be decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """
    On how much a strategy is checked.

    Attributes:
        days: length of the generated season, at least 15.
        odd_frames: frames of odd data.
        cuts: after which parts of the season the future is replaced.
        processes: whether to live in two further processes, too.
        clock: for the cost of a decision alone.
    """

    seed: int = 1
    days: int = 60
    warmup_h: int = 2_880
    odd_frames: int = 10_000
    cuts: tuple[float, ...] = (0.2, 0.5, 0.8)
    processes: bool = True
    rules: HouseRules = field(default_factory=default_rules)
    clock: Clock = field(default_factory=WallClock)


def check_strategy(path: Path, plan: CheckPlan | None = None) -> CheckReport:
    """
    Check a strategy file; what it does wrong is a failed check.

    Raises:
        ConfigError: the file offers no strategy at all; one line says why.
    """
    plan = plan or CheckPlan()
    family = load(path)
    with ExitStack() as running:
        processes = _start_processes(path.resolve(), plan, running) if plan.processes else []
        checks = (_source(path), *check_family(family, plan).checks)
        if processes:
            checks = (*checks, _same_output(processes))
    return CheckReport(family=family.id, checks=checks)


def check_family(family: Family, plan: CheckPlan) -> CheckReport:
    """Check a family that is loaded already: everything but its text and other processes."""
    season = generate_season(universe=MAINNET, seed=plan.seed, days=plan.days, warmup_h=plan.warmup_h)
    genomes = sample_genomes(family, season.warmup_count)
    if not genomes:
        words = f"no genome can warm up in {season.warmup_count} h"
        return CheckReport(
            family=family.id,
            checks=(Check(name="warm-up", verdict="failed", figure="", words=words),),
        )
    subject = _Subject(family=family, genomes=tuple(genomes), season=season, plan=plan)
    lived = subject.live(season)
    checks: tuple[Check, ...] = (
        _runs(lived, plan),
        _repeats(subject, lived),
        *_no_peek(subject, lived),
        _warm_up(subject),
        _odd(subject),
        _fragile(subject, lived),
        _costs(subject),
    )
    if not _fault(lived):
        checks = (*checks, _speed(subject))
    return CheckReport(family=family.id, checks=checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """Who is checked, and on what."""

    family: Family
    genomes: tuple[tuple[int, ...], ...]
    season: ColumnSeason
    plan: CheckPlan

    def live(
        self, season: ColumnSeason, *, foresight: bool = False, lag_frames: int = 0
    ) -> tuple[Lifeline, ...]:
        """Live through a season under the plan's rules."""
        return live(
            self.family, self.genomes, season, self.plan.rules, foresight=foresight, lag_frames=lag_frames
        )


def _source(path: Path) -> Check:
    """Read the text of the file."""
    found = outside_sources(path)
    if found:
        return Check(
            name="sources", verdict="failed", figure=f"{len(found)} found", words=f"{'; '.join(found)}"
        )
    words = "reads nothing but its view, its state and its genome"
    return Check(name="sources", verdict="passed", figure="", words=words)


def _runs(lived: tuple[Lifeline, ...], plan: CheckPlan) -> Check:
    """Say whether every genome decided to the end, and remembers numbers alone."""
    decisions = sum(len(life.decisions) for life in lived)
    fault = _fault(lived)
    if fault:
        return Check(name="runs", verdict="failed", figure="", words=fault)
    words = f"{len(lived)} genomes decided through {plan.days} days"
    return Check(name="runs", verdict="passed", figure=f"{decisions} decisions", words=words)


def _fault(lived: tuple[Lifeline, ...]) -> str:
    """Return, in words, the first crash or the first state that can't be recorded; empty if none."""
    for life in lived:
        if life.death is not None and life.death.crashed:
            return f"at frame {life.death.frame}, genome {list(life.genes)}: {life.death.reason}"
        for decision in life.decisions:
            if not all(type(number) in (int, float) and isfinite(number) for number in decision.state):
                return (
                    f"at frame {decision.frame}, genome {list(life.genes)}: its state is {decision.state};"
                    " allowed are finite numbers"
                )
    return ""


def _repeats(subject: _Subject, lived: tuple[Lifeline, ...]) -> Check:
    """Live once more, in this process: chance, a clock or a memory of its own would show."""
    difference = first_difference(lived, subject.live(subject.season), subject.season.frame_count)
    if difference:
        words = (
            f"a second run differs: {difference}; it draws, looks at a clock, or remembers outside its state"
        )
        return Check(name="repeats", verdict="failed", figure="", words=words)
    return Check(name="repeats", verdict="passed", figure="", words="a second run is the same to the bit")


def _no_peek(subject: _Subject, lived: tuple[Lifeline, ...]) -> tuple[Check, Check]:
    """Replace or cut off what comes after a frame: up to it nothing may change, and behind it something."""
    season, cuts = subject.season, [int(subject.season.frame_count * part) for part in subject.plan.cuts]
    whole = subject.live(season, foresight=True)
    differences = [first_difference(lived, whole, season.frame_count)]
    reacts = False
    for number, last in enumerate(cuts):
        end = min(last + _AFTER_FRAMES, season.frame_count - 1)
        other = cut_after(with_other_future(season, after=last, seed=number), end)
        for rewritten in (other, cut_after(season, last)):
            changed = subject.live(rewritten, foresight=True)
            differences.append(first_difference(whole, changed, last))
            reacts = reacts or _reacts(whole, changed, last, rewritten.frame_count - 1)
    frames = ", ".join(map(str, cuts))
    difference = next((found for found in differences if found), None)
    if difference:
        words = f"another future changes {difference}: it knows what is later"
        peek = Check(name="no peek", verdict="failed", figure=f"cut at {frames}", words=words)
    else:
        words = "another future, or none, changes nothing before it"
        peek = Check(name="no peek", verdict="passed", figure=f"cut at {frames}", words=words)
    return peek, _looks(whole, reacts=reacts)


def _reacts(whole: tuple[Lifeline, ...], changed: tuple[Lifeline, ...], last: int, end: int) -> bool:
    """Say whether any answer between two frames differs."""
    for mine, theirs in zip(whole, changed, strict=True):
        answers = [
            [(d.state, d.targets) for d in life.decisions if last < d.frame <= end] for life in (mine, theirs)
        ]
        if answers[0] != answers[1]:
            return True
    return False


def _looks(whole: tuple[Lifeline, ...], *, reacts: bool) -> Check:
    """Say whether its answers hang on the market at all: a test of causality is blind otherwise."""
    asked = sum(1 for life in whole for decision in life.decisions if decision.targets)
    if reacts:
        words = "other prices change its answers"
        return Check(name="looks", verdict="passed", figure=f"{asked} answers", words=words)
    if asked == 0:
        words = "it holds still all along, so nothing could show whether it peeks"
        return Check(name="looks", verdict="warning", figure="0 answers", words=words)
    words = "its answers hang on no price: it goes by the calendar, or knows the market from elsewhere"
    return Check(name="looks", verdict="warning", figure=f"{asked} answers", words=words)


def _warm_up(subject: _Subject) -> Check:
    """Compare a start with the stated history to one with all there is."""
    end = min(subject.season.frame_count - 1, _AFTER_FRAMES)
    season = cut_after(subject.season, end)
    needs = [subject.family.warmup_h(genes) for genes in subject.genomes]
    for genes, need in zip(subject.genomes, needs, strict=True):
        alone = replace(subject, genomes=(genes,))
        short, full = alone.live(with_history(season, need)), alone.live(season)
        for mine, theirs in zip(short[0].decisions, full[0].decisions, strict=False):
            if not _close(mine.targets, theirs.targets):
                words = (
                    f"at frame {mine.frame} genome {list(genes)} decides otherwise with {need} h of history"
                    f" than with {season.warmup_count} h: slowest_span_h is too short"
                )
                return Check(name="warm-up", verdict="failed", figure=f"{need} h", words=words)
    words = "a longer history changes nothing"
    return Check(name="warm-up", verdict="passed", figure=f"{max(needs)} h needed", words=words)


def _close(mine: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    """Say whether two answers are the same but for rounding: sums over other spans end in other bits."""
    return len(mine) == len(theirs) and all(
        abs(a - b) <= _TOLERANCE for a, b in zip(mine, theirs, strict=True)
    )


def _odd(subject: _Subject) -> Check:
    """Live through odd data: every answer must be one that is allowed."""
    season = odd_season(MAINNET, seed=subject.plan.seed, frames=subject.plan.odd_frames, warmup_h=0)
    lived = live(subject.family, subject.genomes, season, replace(subject.plan.rules, guard=_NEVER))
    figure = f"{subject.plan.odd_frames} odd frames"
    fault = _fault(lived)
    if fault:
        return Check(name="odd data", verdict="failed", figure=figure, words=fault)
    words = "every answer is allowed: stale and unknown prices, jumps, no rates, no depth"
    return Check(name="odd data", verdict="passed", figure=figure, words=words)


def _fragile(subject: _Subject, lived: tuple[Lifeline, ...]) -> Check:
    """Hear of everything a frame later: an edge that is gone then was never to be had."""
    late = subject.live(subject.season, lag_frames=1)
    gain, late_gain = (
        sum(life.course.return_ratio for life in lives) / len(lives) for lives in (lived, late)
    )
    return judge_latency(gain, late_gain)


def judge_latency(gain_ratio: float, late_gain_ratio: float) -> Check:
    """Say whether a gain lasts when it is made an hour later."""
    figure = f"{gain_ratio:+.2%}, an hour late {late_gain_ratio:+.2%}"
    if gain_ratio < GAIN_RATIO_MIN:
        words = "gained nothing in this season, so nothing can fall"
        return Check(name="latency", verdict="info", figure=figure, words=words)
    if late_gain_ratio < gain_ratio * (1.0 - FRAGILE_FALL_RATIO):
        words = "FRAGILE: an hour's delay takes more than half of the gain"
        return Check(name="latency", verdict="warning", figure=figure, words=words)
    return Check(name="latency", verdict="passed", figure=figure, words="an hour's delay leaves the gain")


def _costs(subject: _Subject) -> Check:
    """Count trades and costs with little, some and much capital."""
    said, dear = [], False
    for capital_usd in CAPITALS_USD:
        lived = live(
            subject.family, subject.genomes, subject.season, subject.plan.rules, capital_usd=capital_usd
        )
        trades = sum(life.trades for life in lived) / len(lived) / subject.plan.days
        capital = sum(life.course.capital_micro_usd for life in lived)
        monthly = sum(life.costs_micro_usd for life in lived) / capital * _MONTH_DAYS / subject.plan.days
        refused = Counter(each.reason for life in lived for each in life.refused)
        dear = dear or monthly > MONTHLY_COST_RATIO_MAX
        said.append(
            f"${capital_usd:,}: {trades:.2f} trades a day, costs {monthly:.2%} a month"
            + "".join(f", {count} orders refused: {reason}" for reason, count in refused.most_common(1))
        )
    words = "trading takes more than 1% of the capital a month" if dear else "costs fit the capital"
    return Check(name="costs", verdict="warning" if dear else "passed", figure="; ".join(said), words=words)


def _speed(subject: _Subject) -> Check:
    """Time decisions; not judged, because another machine has other figures."""
    season, family = subject.season, subject.family
    features = Features(season.universe)
    for frame in season.frames():
        features.append(frame)
    columns = tuple(season.universe.column[asset] for asset in family.assets(season.universe))
    state, genome, weights = family.state(), family.genome(*subject.genomes[0]), (0.0,) * len(columns)
    began_s = subject.plan.clock.monotonic_s()
    for index in range(season.frame_count):
        view = View(features, columns, season.warmup_count + index + 1, index, weights)
        state, _ = family.decide(state, view, genome)
    took_s = subject.plan.clock.monotonic_s() - began_s
    figure = f"{took_s / season.frame_count * 1e6:.1f} µs a decision"
    return Check(name="speed", verdict="info", figure=figure, words="what one decision takes here")


def _start_processes(path: Path, plan: CheckPlan, running: ExitStack) -> "list[subprocess.Popen[str]]":
    """Start two processes whose hash seeds differ; leaving `running` ends them."""
    command = [sys.executable, "-m", "treasury_actors.simulation.strategy_trace"]
    command += [str(path), str(plan.seed), str(plan.days), str(plan.warmup_h)]
    processes = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed}
        process = subprocess.Popen(  # noqa: S603  (our own module, in our own interpreter)
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(running.enter_context(process))
        running.callback(process.kill)
    return processes


def _same_output(processes: "list[subprocess.Popen[str]]") -> Check:
    """Say whether all write the same: an order that hangs on the hash seed would show."""
    outputs = []
    for process in processes:
        try:
            output, errors = process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            output, errors = "", f"no answer in {_TIMEOUT_S:.0f} s"
        if process.returncode != 0:
            said = errors.strip().splitlines() or ["no word"]
            return Check(name="two processes", verdict="failed", figure="", words=said[-1])
        outputs.append(output.strip())
    if len(dict.fromkeys(outputs)) > 1:
        words = "two processes differ: it goes by the order of a set or by a hash, which are never the same"
        return Check(name="two processes", verdict="failed", figure="", words=words)
    words = "the same bytes whatever the hash seed"
    return Check(name="two processes", verdict="passed", figure=outputs[0][:12], words=words)
