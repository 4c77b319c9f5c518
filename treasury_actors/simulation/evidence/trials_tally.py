"""What the lines of a log of trials say together: a pure fold, and how a verdict is written."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from treasury_actors.evolution.model.window_fitness import Insufficient, Judged, Vetoed, WindowFitness
from treasury_actors.evolution.model.windows import Window


class TrialsTally:
    """
    The fold of a log of trials; only the log changes it.

    Attributes:
        verdicts: what every key was judged.
        registered: the hashes of configs written down before a run, in order.
        runs: the config each run began under; window_sets: those that were described.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, Judged] = {}
        self.registered: list[str] = []
        self.runs: dict[str, str] = {}
        self.window_sets: set[str] = set()
        self._results: dict[tuple[str, int], Any] = {}
        self._asked: dict[str, set[str]] = {}
        self._fitness_keys: set[str] = set()
        self._looks: Counter[str] = Counter()
        self._looked: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<TrialsTally of {self.ever}>"

    @property
    def ever(self) -> int:
        """How many candidates were evaluated in this workspace, by any run."""
        return len(self._fitness_keys)

    def here(self, run: str) -> int:
        """Return how many candidates a run asked for."""
        return len(self._asked.get(run, ()))

    def looks(self, window: Window) -> int:
        """Return how many runs have looked at a test window."""
        return self._looks[window.name]

    def has_asked(self, run: str, key: str) -> bool:
        """Say whether a run counts a key among its trials."""
        return key in self._asked.get(run, ())

    def has_looked(self, run: str, window: Window) -> bool:
        """Say whether a run has looked at a test window."""
        return (run, window.name) in self._looked

    def sharpes(self, run: str | None = None) -> list[float]:
        """Return the Sharpe ratio of a day of every candidate that has one: of a run, or of all."""
        keys = self._fitness_keys if run is None else self._asked.get(run, set())
        found = []
        for key in sorted(keys):
            verdict = self.verdicts[key]
            measured = verdict.measured if isinstance(verdict, Vetoed) else verdict
            if isinstance(measured, WindowFitness) and measured.sharpe_day is not None:
                found.append(measured.sharpe_day)
        return found

    def result(self, run: str, seed: int) -> Any:  # noqa: ANN401 (the run's own JSON)
        """Return what a run noted of a seed or fold it has finished; None if it has not."""
        return self._results.get((run, seed))

    def fold(self, kind: str, body: dict[str, Any]) -> None:
        """Take in one line."""
        match kind:
            case "trial":
                if "outcome" in body:
                    self.verdicts[body["key"]] = to_judged(body)
                if body["purpose"] == "fitness":
                    self._fitness_keys.add(body["key"])
                    self._asked.setdefault(body["run"], set()).add(body["key"])
            case "windows":
                self.window_sets.add(body["set"])
            case "looked":
                for name in body["windows"]:
                    self._looks[name] += 1
                    self._looked.add((body["run"], name))
            case "preregistered":
                self.registered.append(body["config_hash"])
            case "run":
                self.runs[body["run"]] = body["config_hash"]
            case "result":
                self._results[body["run"], body["seed"]] = body["result"]
            case _:
                raise ValueError(f"a line of kind {kind!r}")


def of_judged(judged: Judged) -> dict[str, Any]:
    """Return a verdict as it is written."""
    match judged:
        case Insufficient():
            return {"outcome": "insufficient", "windows_had": judged.windows, "needed": judged.needed}
        case Vetoed():
            return {"outcome": "vetoed", "reasons": list(judged.reasons), **_of_fitness(judged.measured)}
        case WindowFitness():
            return {"outcome": "fitness", **_of_fitness(judged)}


def _of_fitness(fitness: WindowFitness) -> dict[str, Any]:
    """Return the figures of a fitness as they are written."""
    return {
        "value_ppb": fitness.value_ppb,
        "mean_ppb": fitness.mean_ppb,
        "se_ppb": fitness.se_ppb,
        "window_ppb": list(fitness.window_ppb),
        "sharpe_day": fitness.sharpe_day,
    }


def to_judged(body: Mapping[str, Any]) -> Judged:
    """Return a verdict that was written."""
    if body["outcome"] == "insufficient":
        return Insufficient(windows=body["windows_had"], needed=body["needed"])
    fitness = WindowFitness(
        value_ppb=body["value_ppb"],
        mean_ppb=body["mean_ppb"],
        se_ppb=body["se_ppb"],
        window_ppb=tuple(body["window_ppb"]),
        sharpe_day=body["sharpe_day"],
    )
    return (
        Vetoed(reasons=tuple(body["reasons"]), measured=fitness) if body["outcome"] == "vetoed" else fitness
    )
