"""
What a config puts at risk, as far as limits bound it: what `show-config` ends with.

Capital is dealt equally when a season opens. A round may deal it otherwise, but no split loses more at one
venue: what a mandate can lose there grows ever more slowly with its capital.
"""

from dataclasses import dataclass

from treasury_actors.ids import AgentId
from treasury_actors.money import MICRO_USD, split_by_largest_remainder, usd
from treasury_actors.settings.rules import ChainRules, HouseRules
from treasury_actors.trading.model.chain_limits import WorstLosses, check_mandate, worst_losses
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.limits import TURNOVER_TURNS
from treasury_actors.trading.model.mandate import Limits
from treasury_actors.trading.model.rates import RateLimits

SIMULATED, REHEARSAL = "none", "rehearsal"
_NOBODYS_MONEY = {
    SIMULATED: "no key, no money: venues are simulated",
    REHEARSAL: "a key of a local chain, and money minted there",
}
_NOTHING = WorstLosses(key_stolen_micro_usd=0, venue_failed_micro_usd=0)
_GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """
    The limits of the first mandates, and the most that can be lost.

    Attributes:
        network: of the config: `none`, `rehearsal`, or the chain's name.
        capital_micro_usd: of the smallest mandate; another may have a micro-dollar more.
        limits: of that mandate, but for its gas, which a round divides.
        in_play: what key and venue could take if all that is in play were real.
    """

    network: str
    mandates: int
    capital_micro_usd: int
    limits: Limits
    turnover_micro_usd_max: int
    rates: RateLimits
    guard: GuardPolicy
    in_play: WorstLosses

    @property
    def worst(self) -> WorstLosses:
        """Return the most that can really be lost: nothing where the money is nobody's."""
        return _NOTHING if self.network in _NOBODYS_MONEY else self.in_play


def stakes_of(rules: HouseRules, network: str) -> Stakes:
    """Return what a house of these rules puts at risk on a network when its season opens."""
    arena = rules.arena
    pool, gas = (int(dollars * MICRO_USD) for dollars in (arena.capital_usd, arena.gas_usd))
    capitals = split_by_largest_remainder(pool, [1] * arena.population)
    mandates = [
        (AgentId(f"mandate-{number}"), capital, arena.limits_for(capital, pool, gas_wei=0, gas_round=0))
        for number, capital in enumerate(capitals, start=1)
    ]
    _, smallest, limits = min(mandates, key=lambda mandate: mandate[1])
    return Stakes(
        network=network,
        mandates=len(mandates),
        capital_micro_usd=smallest,
        limits=limits,
        turnover_micro_usd_max=int(arena.risk.arena_turnover_usd_max * MICRO_USD),
        rates=rules.rates,
        guard=rules.guard,
        in_play=worst_losses(mandates, pool_micro_usd=0, gas_micro_usd=gas),
    )


def problem_of(stakes: Stakes, chain: ChainRules) -> str:
    """Return why a mandate would feed its capital to its chain's gas, or an empty string."""
    if stakes.network == SIMULATED:
        return ""
    refusal = check_mandate(
        capital_micro_usd=stakes.capital_micro_usd, micro_usd_min=chain.mandate_micro_usd_min
    )
    return "" if refusal is None else f"arena.capital_usd: {refusal.reason}: a mandate of {refusal.detail}"


def stakes_lines(stakes: Stakes, chain: ChainRules) -> list[str]:
    """Return the resolved limits and the worst losses, for people, a line each."""
    limits, guard, worst, play = stakes.limits, stakes.guard, stakes.worst, stakes.in_play
    smallest, largest = _dollars(limits.trade_micro_usd_min), _dollars(limits.trade_micro_usd_max)
    one, everyone = _dollars(limits.turnover_micro_usd_max), _dollars(stakes.turnover_micro_usd_max)
    rates = stakes.rates
    hour = _dollars(rates.hour_of(limits.turnover_micro_usd_max))
    all_hour = _dollars(rates.hour_of(rates.arena_day_micro_usd_max))
    peak = f"{guard.drawdown_ratio_max:.0%}"
    lines = [
        f"{stakes.mandates} mandates of {_dollars(stakes.capital_micro_usd)}",
        f"one order: {smallest} to {largest}, price impact up to {limits.impact_bps_max:g} bps",
        f"turnover in {TURNOVER_TURNS} h: {one} a mandate, {everyone} in all",
        f"turnover in an hour: {hour} a mandate, {all_hour} in all",
        f"sends in an hour: {rates.agent_sends_hour_max:,} a mandate, {rates.arena_sends_hour_max:,} in all",
        f"at one yield venue: {limits.venue_ratio_max:.0%} of a mandate",
        f"a mandate closes {guard.stop_loss_ratio:.0%} below its capital or {peak} below its peak",
    ]
    if stakes.network != SIMULATED:
        fees = chain.policy.fees
        most, most_a_day = fees.transaction_wei_max // _GWEI, fees.day_wei_max // _GWEI
        lines += [
            f"a swap brings an independent price less {chain.impact_bps_max} bps and the pool's fee",
            f"a swap is up to {chain.depth_bps_max} bps of its pool, and void after {chain.deadline_s} s",
            f"fees: {most:,} gwei a transaction at most, {most_a_day:,} gwei a day",
        ]
    nobodys = _NOBODYS_MONEY.get(stakes.network)
    if nobodys is not None:
        lines.append(nobodys)
    for what, really, at_play in (
        ("the key is stolen", worst.key_stolen_micro_usd, play.key_stolen_micro_usd),
        ("one venue fails", worst.venue_failed_micro_usd, play.venue_failed_micro_usd),
    ):
        aside = "" if nobodys is None else f" (of {_dollars(at_play)} in play)"
        lines.append(f"most that is lost if {what}: {_dollars(really)}{aside}")
    return lines


def stakes_object(stakes: Stakes) -> dict[str, object]:
    """Return the same for programs; money as decimal strings."""
    limits, worst, play = stakes.limits, stakes.worst, stakes.in_play
    return {
        "network": stakes.network,
        "real_money": stakes.network not in _NOBODYS_MONEY,
        "mandates": stakes.mandates,
        "mandate_usd": usd(stakes.capital_micro_usd),
        "trade_usd_min": usd(limits.trade_micro_usd_min),
        "trade_usd_max": usd(limits.trade_micro_usd_max),
        "venue_ratio_max": limits.venue_ratio_max,
        "impact_bps_max": limits.impact_bps_max,
        "stop_loss_ratio": stakes.guard.stop_loss_ratio,
        "drawdown_ratio_max": stakes.guard.drawdown_ratio_max,
        "turnover_24h_usd_max": usd(limits.turnover_micro_usd_max),
        "arena_turnover_24h_usd_max": usd(stakes.turnover_micro_usd_max),
        "hour_usd_max": usd(stakes.rates.hour_of(limits.turnover_micro_usd_max)),
        "arena_hour_usd_max": usd(stakes.rates.hour_of(stakes.rates.arena_day_micro_usd_max)),
        "agent_sends_hour_max": stakes.rates.agent_sends_hour_max,
        "arena_sends_hour_max": stakes.rates.arena_sends_hour_max,
        "key_stolen_usd": usd(worst.key_stolen_micro_usd),
        "venue_failed_usd": usd(worst.venue_failed_micro_usd),
        "in_play": {
            "key_stolen_usd": usd(play.key_stolen_micro_usd),
            "venue_failed_usd": usd(play.venue_failed_micro_usd),
        },
    }


def _dollars(micro_usd: int) -> str:
    """Return an amount for people, rounded up to a cent."""
    cents = -(-micro_usd * 100 // MICRO_USD)
    return f"${cents // 100:,}.{cents % 100:02d}"
