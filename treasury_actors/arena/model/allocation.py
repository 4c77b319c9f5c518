"""
Capital follows fitness, within bounds that hold for any number of agents.

Shrink each merit towards what is known of all, by how little its own record says; softmax; pour the budget
into the shares up to a cap; round to exact units; send home what draws down; move only if it is worth it.
The scheme that this repairs (tiers: the top fifth shares 60%) gave a single elite 60% with three to nine
agents, against its own limit of 30%, and left 40% unused with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, isfinite

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId
from treasury_actors.money import split_by_largest_remainder

PPB = 10**9
_WEIGHT_OF_BEST = 10**12
"""The best agent's weight before pouring; others get theirs in these parts, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationPolicy:
    """
    The bounds of an allocation; ratios in parts per billion.

    Attributes:
        reserve_ppb: the part of the total that no agent gets.
        cap_ppb: the most one agent gets, or an equal share of the budget if that is more.
        temperature_ppb: merit that multiplies a share by e: smaller is greedier.
        skill_sd_ppb: how far true skills are thought to lie apart. Fixed, not estimated from the records: an
            estimate from few and noisy agents swings, and then a better fitness could lower a share.
        move_threshold_ppb: money is moved only if more than this part of the total would change hands.
        drawdown_from_ppb: an agent's share shrinks from this drawdown on.
        drawdown_to_ppb: from this drawdown on the share is zero.
        copy_correlation_ppb: agents whose returns over lending correlate by more share a seat; PPB: none do.
    """

    reserve_ppb: int = 100_000_000
    cap_ppb: int = 250_000_000
    temperature_ppb: int = 100_000_000
    skill_sd_ppb: int = 80_000_000
    move_threshold_ppb: int = 100_000_000
    drawdown_from_ppb: int = 100_000_000
    drawdown_to_ppb: int = 200_000_000
    copy_correlation_ppb: int = PPB

    def __post_init__(self) -> None:
        assert 0 <= self.reserve_ppb <= PPB, "reserve_ppb: allowed 0 to 1000000000"
        assert 0 < self.cap_ppb <= PPB, "cap_ppb: allowed 1 to 1000000000"
        assert self.temperature_ppb > 0, "temperature_ppb: allowed above 0"
        assert self.skill_sd_ppb > 0, "skill_sd_ppb: allowed above 0"
        assert 0 <= self.move_threshold_ppb <= PPB, "move_threshold_ppb: allowed 0 to 1000000000"
        assert 0 <= self.drawdown_from_ppb < self.drawdown_to_ppb, "the drawdown band has a width"
        assert 0 < self.copy_correlation_ppb <= PPB, "copy_correlation_ppb: allowed 1 to 1000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    An agent that capital may be given to or taken from.

    Attributes:
        merit_ppb: its fitness; None while its record is too short: provisional.
        se_ppb: standard error of the merit, same unit; 0 for a provisional agent.
        current_units: what it has now, in units of the reserve asset.
        drawdown_ratio: how far it is below its peak, 0 to 1.
        frozen: keeps exactly what it has this round (stale prices, an unresolved order).
        copy_of: the name of the agents it moves with, itself included, one for all; None if it moves alone.
    """

    agent: AgentId
    merit_ppb: int | None
    se_ppb: int
    current_units: int
    drawdown_ratio: float
    frozen: bool = False
    copy_of: AgentId | None = None

    @property
    def seat(self) -> AgentId:
        """Whose share it shares: its copies' or its own."""
        return self.copy_of or self.agent

    def __post_init__(self) -> None:
        for value in (self.merit_ppb or 0, self.se_ppb, self.current_units):
            if not isinstance(value, int):
                raise InvariantViolated(f"{self.agent}: {value!r} is not an integer")
        if self.se_ppb < 0 or self.current_units < 0:
            raise InvariantViolated(f"{self.agent}: a standard error and a capital are not negative")
        if not isfinite(self.drawdown_ratio) or not 0.0 <= self.drawdown_ratio <= 1.0:
            raise InvariantViolated(f"{self.agent}: drawdown {self.drawdown_ratio!r}, allowed 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """
    What every agent shall have, by agent id, and what stays; together exactly the total.

    Attributes:
        rebalanced: False if the change by merit was too small to move money for. Even then newborns are
            funded, and caps, drawdowns and the reserve obeyed.
    """

    targets: tuple[tuple[AgentId, int], ...]
    reserve_units: int
    rebalanced: bool


def allocate(candidates: Sequence[Candidate], total_units: int, policy: AllocationPolicy) -> Allocation:
    """
    Return the capital of every candidate and of the reserve, in units of the reserve asset.

    A provisional agent gets an equal share of the budget; the others compete for the rest. The cap is the
    configured one or an equal share of the budget among all seats, whichever is more: so one, three
    and fifty agents can all be given the whole budget and never more. What drawdown takes from an agent
    goes to the reserve and not to its siblings, who may stand in the same storm.

    Agents that are copies of each other stand in one seat: the cap counts them as one agent, the seat weighs
    as much as they do on average, and they share it by their own weights. So no idea gets more for being had
    twice, nothing idles, and a better fitness is worth more in a seat, too. Who strays from its own
    resimulation is no candidate: the ladder demotes it.

    Args:
        candidates: in any order; their ids differ.
        total_units: all there is to allot: what the candidates have plus the free pool.
        policy: the bounds.

    Raises:
        InvariantViolated: candidates have more than the total, or two have one id.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.agent)
    if len({candidate.agent for candidate in ordered}) != len(ordered):
        raise InvariantViolated("two candidates have one id")
    if sum(candidate.current_units for candidate in ordered) > total_units:
        raise InvariantViolated("the candidates have more than there is")
    caps = _caps(len({each.seat for each in ordered}), total_units, policy)
    targets = _targets(ordered, caps, policy)
    rebalanced = _worth_moving(ordered, targets, total_units, policy)
    units = targets if rebalanced else _held(ordered, targets, caps, policy)
    given = sum(units)
    assert given <= total_units, "more was allotted than there is"
    return Allocation(
        targets=tuple((each.agent, part) for each, part in zip(ordered, units, strict=True)),
        reserve_units=total_units - given,
        rebalanced=rebalanced,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caps:
    """The most that one agent, and that all of them, may have."""

    agent_units: int
    budget_units: int


def _caps(seats: int, total_units: int, policy: AllocationPolicy) -> _Caps:
    """Return the caps; an agent's is rounded so that all seats together can hold the budget."""
    budget = total_units * (PPB - policy.reserve_ppb) // PPB
    equal = -(-budget // max(1, seats))
    configured = total_units * policy.cap_ppb // PPB
    return _Caps(agent_units=min(budget, max(configured, equal)), budget_units=budget)


def _targets(candidates: Sequence[Candidate], caps: _Caps, policy: AllocationPolicy) -> list[int]:
    """Return what each should have if moving money were free."""
    units = [each.current_units if each.frozen else 0 for each in candidates]
    free = max(0, caps.budget_units - sum(units))
    provisional = [i for i, each in enumerate(candidates) if not each.frozen and each.merit_ppb is None]
    ranked = [i for i, each in enumerate(candidates) if not each.frozen and each.merit_ppb is not None]
    if not provisional and not ranked:
        return units
    seats = _seats([candidates[i] for i in ranked])
    sides = split_by_largest_remainder(free, [len(provisional), len(seats)])
    equal = _pour(sides[0], [1] * len(provisional), caps.agent_units)
    merited = _pour_seats(sides[1], _weights([candidates[i] for i in ranked], policy), seats, caps)
    for i, part in (*zip(provisional, equal, strict=True), *zip(ranked, merited, strict=True)):
        kept_ppb = _kept_ppb(candidates[i].drawdown_ratio, policy)
        units[i] = part * kept_ppb // PPB
    return units


def _seats(ranked: Sequence[Candidate]) -> list[list[int]]:
    """Return the places of those who share a seat, a list a seat, in the order of their first."""
    seats: dict[AgentId, list[int]] = {}
    for place, each in enumerate(ranked):
        seats.setdefault(each.seat, []).append(place)
    return list(seats.values())


def _pour_seats(units: int, weights: Sequence[int], seats: Sequence[Sequence[int]], caps: _Caps) -> list[int]:
    """Pour `units` into seats, each as heavy as its agents on average, and what is in a seat over them."""
    means = [max(1, sum(weights[i] for i in seat) // len(seat)) for seat in seats]
    parts = [0] * len(weights)
    for seat, poured in zip(seats, _pour(units, means, caps.agent_units), strict=True):
        shares = split_by_largest_remainder(poured, [weights[i] for i in seat])
        for i, share in zip(seat, shares, strict=True):
            parts[i] = share
    return parts


def _weights(ranked: Sequence[Candidate], policy: AllocationPolicy) -> list[int]:
    """
    Return the softmax of the shrunk merits, as integers relative to the best.

    Posterior mean of a normal prior of known width: m = p + B (f - p), B = sd^2 / (sd^2 + se^2). Its centre p
    weighs each merit by its precision, so that a crowd of agents of whom little is known neither lifts nor
    drags the ones of whom much is. Only differences count: merits are taken from the lowest, exactly.
    """
    if not ranked:
        return []
    merits = [each.merit_ppb or 0 for each in ranked]
    lowest = min(merits)
    above = [(merit - lowest) / PPB for merit in merits]
    prior = (policy.skill_sd_ppb / PPB) ** 2
    trust = [prior / (prior + (each.se_ppb / PPB) ** 2) for each in ranked]
    centre = fsum(b * f for b, f in zip(trust, above, strict=True)) / fsum(trust)
    shrunk = [centre + b * (f - centre) for b, f in zip(trust, above, strict=True)]
    best, temperature = max(shrunk), policy.temperature_ppb / PPB
    return [max(1, round(_WEIGHT_OF_BEST * exp((merit - best) / temperature))) for merit in shrunk]


def _pour(units: int, weights: Sequence[int], cap_units: int) -> list[int]:
    """Split `units` by weight; what exceeds the cap is poured again over those below it."""
    parts = [0] * len(weights)
    below = list(range(len(weights)))
    while below:
        shares = split_by_largest_remainder(units, [weights[i] for i in below])
        full = [i for i, share in zip(below, shares, strict=True) if share > cap_units]
        if not full:
            for i, share in zip(below, shares, strict=True):
                parts[i] = share
            break
        for i in full:
            parts[i] = cap_units
        units -= cap_units * len(full)
        below = [i for i in below if parts[i] != cap_units]
    return parts


def _kept_ppb(drawdown_ratio: float, policy: AllocationPolicy) -> int:
    """Return which part of its share an agent keeps: all, then linearly less, then nothing."""
    width = policy.drawdown_to_ppb - policy.drawdown_from_ppb
    left = policy.drawdown_to_ppb - round(drawdown_ratio * PPB)
    return min(max(left, 0), width) * PPB // width


def _worth_moving(
    candidates: Sequence[Candidate], targets: Sequence[int], total_units: int, policy: AllocationPolicy
) -> bool:
    """Say whether more than the threshold changes hands, the reserve's hand included."""
    moves = [part - each.current_units for each, part in zip(candidates, targets, strict=True)]
    changed_twice = sum(abs(move) for move in moves) + abs(sum(moves))
    return changed_twice * PPB > 2 * policy.move_threshold_ppb * total_units


def _held(
    candidates: Sequence[Candidate], targets: Sequence[int], caps: _Caps, policy: AllocationPolicy
) -> list[int]:
    """
    Return what each has, changed only where it must be.

    Newborns are funded, drawdowns and caps are obeyed, and if that or profits break into the reserve, those
    furthest above their targets make up for it: the fewest transfers, and every one towards the target.
    """
    units = []
    for each, target in zip(candidates, targets, strict=True):
        drawn = _kept_ppb(each.drawdown_ratio, policy) < PPB
        if each.frozen:
            units.append(each.current_units)
        elif each.current_units == 0 or (drawn and each.current_units > target):
            units.append(target)
        else:
            units.append(min(each.current_units, caps.agent_units))
    excess = sum(units) - caps.budget_units
    above = [i for i, each in enumerate(candidates) if not each.frozen and units[i] > targets[i]]
    for i in sorted(above, key=lambda i: (targets[i] - units[i], i)):
        taken = min(max(0, excess), units[i] - targets[i])
        units[i] -= taken
        excess -= taken
    return units
