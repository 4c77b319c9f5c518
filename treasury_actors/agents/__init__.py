"""
The agents: one supervised actor a genome, and the pure strategies they run.

A *strategy* is one scalar function, `decide(state, view, genome) -> (state, target weights)`, in a file of
its own whose name is its *family*. The *agent* around it reads its statement when its books changed, asks
the strategy at every turn, lets the planner make orders of the answer, and reports what the strategy
remembers. It never touches money: a crash costs a decision, not a cent. A restarted agent begins from its
last journalled state and decides again on the few frames since.

How an agent has fared is its *track record* (time-weighted: capital given or taken is no return), and
*fitness* is computed from that record under a key that makes a stale value impossible. `model/metrics` has
the statistics of the whole product, each with its formula and its source.
"""
