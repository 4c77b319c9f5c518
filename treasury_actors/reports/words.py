"""The words a report says in more than one place: what labels, parts and figures mean."""

from collections.abc import Sequence

from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.market.model.frame import Label
from treasury_actors.reports.numerals import UNKNOWN
from treasury_actors.reports.summary import Champion

LABEL_MEANS: dict[Label, str] = {
    "GENERATED": "The market is made up by a program: figures test the machine and say nothing of money.",
    "HYPOTHETICAL": "Fills are computed from recorded prices. Nothing was traded and nothing was earned.",
    "REHEARSAL": "Transactions ran on a local chain with play money. Nothing was earned.",
    "PAPER": "Decisions on live prices, with computed fills. Nothing was traded and nothing was earned.",
    "LIVE": "Real money.",
}

PART_IS: dict[str, str] = {
    "beta": "being there: mean ETH and BTC exposure",
    "yield": "lending, vaults, staking",
    "price": "timing, stablecoins, all the rest",
    "swap fees": "paid to pools",
    "impact": "price impact and haircuts",
    "gas": "burnt",
}
"""A few words, for a line of text."""

PART_MEANS: dict[str, str] = {
    "beta": (
        "For ETH and for BTC: the season's mean dollar exposure times what the asset returned from the first"
        " frame to the last. Anybody can buy it."
    ),
    "yield": "Growth of the share prices of what was held: what lending, vaults and staking paid.",
    "price": (
        "The rest: what timing earned or lost against the mean exposure, stablecoins, assets that are neither"
        " ETH nor BTC, and the remainders of rounding."
    ),
    "swap fees": "Paid to pools, at each fill's own prices.",
    "impact": "Price impact and haircuts, at each fill's own prices.",
    "gas": "The gas burnt, at each frame's price of ETH.",
}

LIQUID_MEANS = (
    "could be the reserve asset within 24 h, at the end's capacities and at most 1% of price impact an hour;"
    " gas money left out"
)
LINES_MEAN = "same dates, same money at the same frames, same costs, the same gas money held beside it"


def luck_in_words(champion: Champion) -> str:
    """Say how much of the champion's record may be luck, and why what is undefined is so."""
    who = "no champion" if champion.agent is None else f"champion: {champion.agent}"
    dsr, pbo = (UNKNOWN if value is None else f"{value:.2f}" for value in (champion.dsr, champion.pbo))
    tried = f"best of {champion.trials:,} agents tried here, and of more if the season was played before"
    return f"{who}, DSR {dsr}, PBO {pbo}: {tried}. {'; '.join(champion.undefined)}."


def demotions_in_words(demotions: Sequence[AgentDemoted]) -> str:
    """Say who was sent down, and why."""
    told = (
        f"{each.agent} from {each.stage} at frame {each.turn}: {', '.join(each.causes)}"
        + ("" if each.by == "machine" else f", by {each.by}")
        for each in demotions
    )
    return "; ".join(told) or "none"


def printable(text: str) -> str:
    """Return text that cannot move a cursor or colour a terminal: what does not print becomes `?`."""
    return "".join(character if character.isprintable() else "?" for character in text)
