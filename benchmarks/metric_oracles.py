"""
What other people's code makes of the same records: the oracles of the metrics.

    python3 -m venv /path/to/venv
    /path/to/venv/bin/pip install --require-hashes -r requirements/oracles.txt
    /path/to/venv/bin/python benchmarks/metric_oracles.py > tests/unit/agents/metric_oracles.json

empyrical-reloaded for ratios and drawdowns, skfolio for what is probable, statsmodels for regressions. The
tests hold our metrics to the numbers written there, to 1e-12, without installing any of it; where it is
installed they also compute those numbers again. Undefined results stay as the oracles give them ("inf",
"nan"): that ours differ there, and how, is tested too.
"""

import json
from importlib.metadata import version
from math import isfinite

import empyrical
import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from skfolio import measures
from skfolio.measures._measures import get_drawdowns, max_drawdown

Floats = NDArray[np.float64]
SEED = 20_261_122
YEAR = 365
TRIALS = (2, 10, 50, 1000)
LOSS_SHARE = 0.02


def records() -> dict[str, list[float]]:
    """Return daily returns of several kinds, in decimals short enough to print."""
    chance = np.random.default_rng(SEED)
    market = chance.standard_normal(400)
    made = {
        "eth": 0.0010 + 0.035 * market,
        "btc": 0.0012 + 0.025 * (0.8 * market + 0.6 * chance.standard_normal(400)),
        "lending": 0.000134 + 0.00002 * chance.standard_normal(400),
        "trend": 0.0011 + 0.020 * chance.standard_normal(400),
        "carry": 0.0003 + 0.004 * chance.standard_normal(400),
        "tails": 0.0004 + 0.010 * chance.standard_t(4, 250) - 0.06 * (chance.random(250) < LOSS_SHARE),
        "short": -0.0005 + 0.010 * chance.standard_normal(60),
    }
    made["blend"] = 0.0002 + 0.3 * made["eth"] + 0.2 * made["btc"] + 0.004 * chance.standard_normal(400)
    return {name: [round(float(value), 9) for value in values] for name, values in made.items()}


def ratios(returns: Floats, lending: Floats) -> dict[str, float]:
    """Return what empyrical and skfolio make of one record; ratios over lending, the rest of the whole."""
    excess = returns - lending
    return {
        "sharpe": empyrical.sharpe_ratio(excess, annualization=YEAR),
        "sortino": empyrical.sortino_ratio(excess, annualization=YEAR),
        "max_drawdown": -empyrical.max_drawdown(returns),
        "max_drawdown_skfolio": max_drawdown(get_drawdowns(returns, compounded=True)),
        "total_return": empyrical.cum_returns_final(returns),
        "annual_return": empyrical.annual_return(returns, annualization=YEAR),
        "calmar": empyrical.calmar_ratio(returns, annualization=YEAR),
        "omega": empyrical.omega_ratio(returns, annualization=1),
        "omega_5_bps": empyrical.omega_ratio(returns, required_return=0.0005, annualization=1),
        "cvar_95": -measures.cvar(returns, beta=0.95),
        "cvar_96_67": -measures.cvar(returns, beta=0.9667),
        "cvar_96_67_empyrical": empyrical.conditional_value_at_risk(returns, cutoff=0.0333),
        "skew": measures.skew(excess),
        "kurtosis": measures.kurtosis(excess),
        "psr_0": measures.probabilistic_sharpe_ratio(excess),
        "psr_5": measures.probabilistic_sharpe_ratio(excess, benchmark_sharpe_ratio=0.05),
    }


def regressions(returns: Floats, factors: list[Floats]) -> dict[str, dict[str, list[float] | float]]:
    """Return what statsmodels fits: coefficients, Newey-West errors and t, the intercept first."""
    model = sm.OLS(returns, sm.add_constant(np.column_stack(factors)))
    found = {}
    for lags in (0, 5, 12):
        fit = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags})
        found[str(lags)] = {
            "coefficients": [float(value) for value in fit.params],
            "errors": [float(value) for value in fit.bse],
            "ts": [float(value) for value in fit.tvalues],
        }
    return found


def undefined() -> dict[str, float]:
    """Return what the oracles say where nothing can be said."""
    constant, rising = np.full(50, 0.01), np.array([0.01, 0.02, 0.03, 0.02])
    hole = np.array([np.nan, 0.01, 0.02])
    return {
        "constant_sharpe": empyrical.sharpe_ratio(constant, annualization=YEAR),
        "constant_psr": measures.probabilistic_sharpe_ratio(constant),
        "rising_sortino": empyrical.sortino_ratio(rising, annualization=YEAR),
        "rising_calmar": empyrical.calmar_ratio(rising, annualization=YEAR),
        "rising_omega": empyrical.omega_ratio(rising, annualization=1),
        "one_sharpe": empyrical.sharpe_ratio(rising[:1], annualization=YEAR),
        "hole_sharpe": empyrical.sharpe_ratio(hole, annualization=8760),
        "empty_max_drawdown": empyrical.max_drawdown(np.array([])),
        "expected_max_of_1.2": measures.expected_max_sharpe_ratio(1.2, 0.1),
    }


def told(value: float) -> float | str:
    """Return a number as JSON can hold it."""
    number = float(value)
    return number if isfinite(number) else repr(number)


def measured() -> dict[str, object]:
    """Return records and every oracle's figure of them."""
    made = records()
    arrays = {name: np.array(values) for name, values in made.items()}
    lending = arrays["lending"]
    trials = [
        float(measures.mean(values - lending[: len(values)]))
        / float(measures.standard_deviation(values - lending[: len(values)]))
        for name, values in arrays.items()
        if name != "lending"
    ]
    deflated = {
        name: told(measures.deflated_sharpe_ratio(values - lending[: len(values)], trials))
        for name, values in arrays.items()
        if name != "lending"
    }
    factors = [arrays["eth"] - lending, arrays["btc"] - lending]
    return {
        "versions": {name: version(name) for name in ("empyrical-reloaded", "skfolio", "statsmodels")},
        "records": made,
        "ratios": {
            name: {key: told(value) for key, value in ratios(values, lending[: len(values)]).items()}
            for name, values in arrays.items()
            if name != "lending"
        },
        "trial_sharpes": trials,
        "deflated": deflated,
        "expected_max": {str(n): float(measures.expected_max_sharpe_ratio(n, 0.07)) for n in TRIALS},
        "regressions": {
            name: regressions(arrays[name] - lending, factors) for name in ("blend", "trend", "carry")
        },
        "undefined": {key: told(value) for key, value in undefined().items()},
    }


def main() -> None:
    """Print it all as JSON."""
    parts = [f"{json.dumps(key)}: {json.dumps(part)}" for key, part in measured().items()]
    print("{\n" + ",\n".join(parts) + "\n}")


if __name__ == "__main__":
    main()
