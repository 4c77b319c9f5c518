"""
The metrics of the product, each in one place: pure functions over plain sequences of floats.

- What is undefined is None, never an infinity and never a NaN. NaN and infinite input is a ValueError: a
  metric that skips holes describes another record than the one it was given.
- A return is the simple return of one period, a fraction, after every cost, with capital that comes and
  goes taken out. Ratios are computed on daily returns (UTC midnight, `returns.compound`), drawdowns on hourly
  ones: interest and the hour of day flatter an hourly ratio.
- *Excess* is what is left over the lending rate of the same period (`returns.excess_over`), not over zero: a
  lender shows no skill.
- What ends in `_ranked` has a floor under its denominator, so that it is finite for a record that hardly
  moves. It is for ranking, not for show.
"""
