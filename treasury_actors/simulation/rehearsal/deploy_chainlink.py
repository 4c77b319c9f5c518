"""Chainlink price feeds as they were published: an aggregator with one oracle, behind its proxy."""

from collections.abc import Sequence
from dataclasses import dataclass

from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter, Call, View

FEED_DECIMALS = 8
_ANSWER_MOST = 10**26
_TIMEOUT_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A USD feed of 8 decimals: readers ask `proxy`, the oracle answers to `aggregator`."""

    aggregator: str
    proxy: str


async def deploy_chainlink_feed(writer: BlockWriter, *, description: str, link: str) -> Feed:
    """Deploy a feed whose one oracle is the writer's account; `link` is the token it would be paid in."""
    aggregator = await writer.deploy(
        "AccessControlledAggregator",
        *(link, 0, _TIMEOUT_S, "0x" + "00" * 20, 1, _ANSWER_MOST, FEED_DECIMALS, description),
    )
    await writer.send(
        aggregator,
        "changeOracles(address[],address[],address[],uint32,uint32,uint32)",
        *([], [writer.account], [writer.account], 1, 1, 0),
    )
    await writer.send(aggregator, "disableAccessCheck()")
    proxy = await writer.deploy("EACAggregatorProxy", aggregator, "0x" + "00" * 20)
    return Feed(aggregator=aggregator, proxy=proxy)


async def next_answers(writer: BlockWriter, answers: Sequence[tuple[Feed, int]]) -> list[Call]:
    """Return the calls by which the oracle opens and closes the next round of each feed."""
    latest = await writer.numbers(
        [View(to=feed.aggregator, signature="latestRound()") for feed, _ in answers]
    )
    return [
        Call(
            to=feed.aggregator,
            signature="submit(uint256,int256)",
            values=(number + 1, answer),
            sender=writer.account,
        )
        for number, (feed, answer) in zip(latest, answers, strict=True)
    ]
