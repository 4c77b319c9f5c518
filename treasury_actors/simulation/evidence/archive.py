"""A data folder as histories to cut windows from: one for every stretch without a long gap."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.errors import DataError
from treasury_actors.evolution.model.windows import DAY_FRAMES, WindowRules
from treasury_actors.market.adapters.csv_folder import read_folder
from treasury_actors.market.adapters.mainnet import build_season
from treasury_actors.market.model.series import Series
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.evidence.history import Archive, History

GAP_H = 72
"""Hours without a price of the reserve, of ether or a lending rate after which a history ends."""

CORE = ("cmc.USDC", "binance.ETHUSDT", "aave.USDC", "gas.daily")
"""What a history can't be without: the reserve, ether, plain lending to be held against, and gas."""

_DAYS_MIN = 30


@cache
def load_archive(folder: Path, warmup_h: int) -> Archive:
    """
    Return every stretch of a folder's data in which money could be held, lent and moved.

    Earlier prices warm up the first windows where there are any.

    Raises:
        DataError: the data are wrong, or no stretch has a month.
    """
    series = read_folder(folder)
    histories = []
    for first_ns, last_ns in _stretches([series[name] for name in CORE]):
        start_ns = -(-first_ns // DAY_NS) * DAY_NS
        days = (last_ns + HOUR_NS - start_ns) // DAY_NS
        if days >= _DAYS_MIN:
            season = build_season(
                series,
                universe=MAINNET,
                start_ns=start_ns,
                days=days,
                warmup_h=warmup_h,
                place=str(folder),
                source=f"data folder {folder.name or folder.resolve().name}",
            )
            histories.append(History(season=season))
    if not histories:
        raise DataError(f"{folder}: no {_DAYS_MIN} days in a row have {', '.join(CORE)}")
    return Archive(histories=tuple(histories))


def short_histories(archive: Archive, rules: WindowRules) -> dict[str, int]:
    """
    Return the assets known for too few windows, and for how many each is.

    A genome that trades them was judged, in the other windows, on a market without them.
    """
    stride_h = rules.frames + rules.embargo_h
    found = {}
    for asset in MAINNET.assets:
        column = MAINNET.column[asset.id]
        known_d = (
            sum(history.season.frame(index).fresh[column] for index in _days_of(history))
            for history in archive.histories
        )
        windows = sum(days * DAY_FRAMES // stride_h for days in known_d)
        if windows < rules.count_min:
            found[str(asset.id)] = windows
    return found


def _days_of(history: History) -> range:
    """Return the first frame of every day of a history."""
    return range(0, history.season.frame_count, DAY_FRAMES)


def _stretches(series: Sequence[Series]) -> list[tuple[int, int]]:
    """Return the spans of time in which every series is known, oldest first."""
    common = series[0].spans(GAP_H)
    for other in series[1:]:
        common = [
            (max(first, other_first), min(last, other_last))
            for first, last in common
            for other_first, other_last in other.spans(GAP_H)
            if max(first, other_first) < min(last, other_last)
        ]
    return sorted(common)
