"""`perform-test-trade`: money through a chain and back, before anything rests on it."""

import argparse

import anyio

from treasury_actors.cli.screen import emit, say, show
from treasury_actors.cli.verbs_live import may_go_live
from treasury_actors.clock import WallClock
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.live.session import chosen_chain
from treasury_actors.simulation.live.trial import Trial, perform_test_trade
from treasury_actors.trading.model.costs import GWEI

USD_MAX = 1_000


def perform(options: argparse.Namespace) -> int:
    """Supply and withdraw: it wants all that a live run wants, the evidence and the chain's name included."""
    live: dict[str, object] = {} if options.evidence is None else {"evidence": str(options.evidence)}
    settings = load_settings(options.config, {"live": live})
    if not 1 <= options.usd <= USD_MAX:
        raise ConfigError(f"--usd {options.usd}: allowed: 1 to {USD_MAX}")
    chosen = chosen_chain(settings, options.rpc or (), options.registry)
    say(f"a test trade of ${options.usd} on {chosen.registry.chain_name}")
    signer = may_go_live(settings, options, chosen.registry.chain_name)
    reserve = MAINNET.by_id[MAINNET.reserve]

    async def play() -> Trial:
        return await perform_test_trade(
            chosen,
            options.out,
            universe=MAINNET,
            rules=settings.chain_rules(),
            signer=signer,
            units=options.usd * 10**reserve.decimals,
            gas_wei_max=settings.chain.gas_gwei_max * GWEI,
            clock=WallClock(),
            told=say,
        )

    trial = anyio.run(play)
    if options.json:
        emit(
            {
                "supplied_units": str(trial.supplied_units),
                "withdrawn_units": str(trial.withdrawn_units),
                "gas_wei": str(trial.gas_wei),
            }
        )
    else:
        lost = reserve.format(trial.supplied_units - trial.withdrawn_units)
        show(f"back again, less {lost} {reserve.id} that rounding keeps and {trial.gas_wei} wei of gas")
    return 0
