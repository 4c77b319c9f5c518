"""What every strategy does with the weights it wants: leave alone what is unknown, move only if it pays."""

from treasury_actors.agents.model.view import KEEP, View

HELD_RATIO = 0.01
"""A slot counts as held above this share of NAV; a smaller gap to a target is never worth a trade."""


def worthwhile(view: View, wanted: list[float], band_ratio: float) -> list[float]:
    """
    Return the weights to aim at, or `KEEP` where no slot is far enough from what is wanted.

    A slot is far off if the gap is more than `HELD_RATIO` of NAV and more than `band_ratio` of the
    larger of its two weights: a position that is opened or closed always is, one that drifts is not.
    A slot that can't be traded now, or whose wanted weight is NaN (nothing is known of it), stays at its
    present weight; the others shrink in proportion if they no longer fit beside it.
    """
    targets = [0.0] * view.count
    movable = [False] * view.count
    left_alone = 0.0
    asked = 0.0
    for slot in range(view.count):
        movable[slot] = wanted[slot] >= 0.0 and view.tradable(slot)
        targets[slot] = wanted[slot] if movable[slot] else view.weights[slot]
        if movable[slot]:
            asked += targets[slot]
        else:
            left_alone += targets[slot]
    room = max(0.0, 1.0 - left_alone)
    far_off = False
    for slot in range(view.count):
        if movable[slot]:
            if asked > room:
                targets[slot] *= room / asked
            gap = abs(targets[slot] - view.weights[slot])
            larger = max(targets[slot], view.weights[slot])
            far_off = far_off or (gap > HELD_RATIO and gap > band_ratio * larger)
    return targets if far_off else KEEP
