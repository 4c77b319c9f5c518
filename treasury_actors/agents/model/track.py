"""An agent's own record: what a dollar left with it from birth would have become, day by day."""

from treasury_actors.errors import InvariantViolated

DAY_FRAMES = 24


class TrackRecord:
    """
    The time-weighted daily record of one agent; mutated only by its owner.

    Capital given or taken is never a return: at every flow the growth so far is banked and a new stretch
    starts from the NAV just after it. A day yields a return only if the agent had capital from its first
    frame to its last; other days are skipped, not zero, because "nothing to manage" is no skill. Whatever
    was lost or won on a part of a day still counts in the growth index and the drawdown.

    Attributes:
        born_frame: the frame the record starts at.
        last_frame: the frame of the last mark; the birth, before the first.
        daily_returns: one fraction for each whole funded day, oldest first.
        lending_returns: what the lending benchmark returned on the same days.
        return_frames: the frame each of these days ended at.
        growth_index: what one dollar at birth has become at the last mark or flow.
        max_drawdown_ratio: deepest fall of the growth index from its peak so far, the start included.
    """

    __slots__ = (
        "_base_micro_usd",
        "_day_growth",
        "_lending_index",
        "_marked",
        "_peak_index",
        "_seen_index",
        "_whole_day",
        "born_frame",
        "daily_returns",
        "growth_index",
        "last_frame",
        "lending_returns",
        "max_drawdown_ratio",
        "return_frames",
    )

    def __init__(self, *, born_frame: int, lending_index: float) -> None:
        self.born_frame = born_frame
        self.last_frame = born_frame
        self.daily_returns: list[float] = []
        self.lending_returns: list[float] = []
        self.return_frames: list[int] = []
        self.growth_index = 1.0
        self.max_drawdown_ratio = 0.0
        self._lending_index = lending_index
        self._marked = False
        self._base_micro_usd = 0
        self._day_growth = 1.0
        self._whole_day = False
        self._peak_index = 1.0
        self._seen_index = 1.0

    @property
    def drawdown_ratio(self) -> float:
        """Return how far the growth index stood below its peak when it was last seen."""
        return 1.0 - self._seen_index / self._peak_index

    def observe(self, nav_micro_usd: int) -> None:
        """Take a NAV between day closes: it moves the drawdown and nothing else."""
        assert nav_micro_usd >= 0, "an agent has no borrowed money to lose"
        if self._base_micro_usd > 0:
            self._see(self.growth_index * (nav_micro_usd / self._base_micro_usd))

    def flow(self, *, frame: int, nav_before_micro_usd: int, nav_after_micro_usd: int) -> None:
        """
        Bank the growth so far and go on from another capital: NAV just before and just after, same prices.

        `frame` is when the capital moved. At the close of a day, before or after its mark, both days stay
        whole; in the middle, a day on which capital first came or was all taken yields no return.
        """
        assert nav_before_micro_usd >= 0, "an agent has no borrowed money to lose"
        assert nav_after_micro_usd >= 0, "no more than an agent has can be taken"
        if not self.last_frame <= frame <= self.last_frame + DAY_FRAMES:
            raise InvariantViolated(f"flow at frame {frame}, but the day began at frame {self.last_frame}")
        self._bank(nav_before_micro_usd)
        if frame == self.last_frame:
            self._whole_day = nav_after_micro_usd > 0
        elif nav_before_micro_usd > 0 == nav_after_micro_usd and frame < self.last_frame + DAY_FRAMES:
            self._whole_day = False  # taken away; a NAV of zero before it is ruin, and that day counts
        self._base_micro_usd = nav_after_micro_usd

    def mark(self, frame: int, nav_micro_usd: int, lending_index: float) -> None:
        """
        Close the day that ends at `frame`; the first may be shorter than a day and then yields no return.

        Args:
            frame: 24 after the mark before; the first at most 24 after birth.
            nav_micro_usd: the agent's NAV at this frame.
            lending_index: what one unit lent at the benchmark since any fixed start has become.

        Raises:
            InvariantViolated: a day close was skipped or repeated.
        """
        assert nav_micro_usd >= 0, "an agent has no borrowed money to lose"
        assert lending_index > 0.0, "an index of growth is positive"
        length = frame - self.last_frame
        if length != DAY_FRAMES and (self._marked or not 0 <= length < DAY_FRAMES):
            raise InvariantViolated(f"day closed at frame {frame}, but it began at frame {self.last_frame}")
        self._bank(nav_micro_usd)
        if self._whole_day and length == DAY_FRAMES:
            self.daily_returns.append(self._day_growth - 1.0)
            self.lending_returns.append(lending_index / self._lending_index - 1.0)
            self.return_frames.append(frame)
        self.last_frame = frame
        self._lending_index = lending_index
        self._marked = True
        self._day_growth = 1.0
        self._whole_day = nav_micro_usd > 0

    def _bank(self, nav_micro_usd: int) -> None:
        """End the stretch since the last mark or flow at this NAV."""
        if self._base_micro_usd > 0:
            growth = nav_micro_usd / self._base_micro_usd
            self._day_growth *= growth
            self.growth_index *= growth
            self._see(self.growth_index)
        self._base_micro_usd = nav_micro_usd

    def _see(self, index: float) -> None:
        self._seen_index = index
        self._peak_index = max(self._peak_index, index)
        self.max_drawdown_ratio = max(self.max_drawdown_ratio, self.drawdown_ratio)
