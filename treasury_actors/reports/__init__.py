"""
Reports: what a journal and the season it was lived on say, drawn and tabulated.

A report asks no actor and sends nothing. `write.write_reports` is the entry; what it goes through, in order:

- `history`: one pass over the journal along the frames: NAV, flows, every agent's course, fills, refusals;
- `lines`: what the same money would have become elsewhere, at the same prices and costs;
- `attribution`: the gain in parts that sum to it exactly;
- `verdict`: what may be concluded, in plain words;
- `summary`: every figure of the above as one value; `summary_json`, `text` and `html` only set it in type,
  `tables` writes the rows behind it.

The same journal, season and context give the same bytes. Money is int micro-dollars until it is printed;
ratios are floats, None where they are undefined: no NaN and no infinity ever leaves this room.
"""
