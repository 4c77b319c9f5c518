"""
Seasons on a virtual clock: the conductor, a run in its folder, the backtest, and evaluation by plain calls.

`conductor` plays one frame through the real actors; `run` plays a season from wherever its journal ends, so
starting and resuming are one path; `backtest` is that with a new folder and a report. `evaluate` plays
genomes over a season without actors, by the same functions and equal to the unit: for benchmarks and for
`strategy_check`, which tests the code of a user's strategy.
"""
