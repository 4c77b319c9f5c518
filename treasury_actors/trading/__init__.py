"""
From wishes to executions: the planner, the limits, the engine, the guardian, the stop.

The *planner* (pure) turns holdings and target weights into the fewest worthwhile orders. The *engine* is the
one actor every execution passes: it takes the orders of a turn in the order of (agent, number), holds them
to their mandate's *limits*, holds their input in the ledger, releases one per agent at a time to a *venue*,
and settles what the venue did, hop by hop from the actual fill. The *guardian* is the exit: another actor
than the one that decides, watching every mandate at every frame, selling what is closing, also for the dead.
The *stop* is a latch: durable before it is acknowledged, and only a person loosens it.

Venues stand behind `ports.Venue`. The simulated one charges pool fees, impact from the frame's depth, gas at
the frame's price, and fills at the next frame, in part where liquidity is short.
"""
