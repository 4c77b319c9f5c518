"""
The live process: one run folder, one season after another, for months, under an operator's hand.

Owns: how a run starts, goes on and ends (`process`), what happens between two turns (`between`), the control
socket (`control`), the STOP file (`stop_file`), what an operator's commands do to a living or a dead run
(`operate`), and its log (`log`). What happens within a turn is the simulation's and the house's.

Promises: one process a folder. Nothing but whole turns is ever committed, so a kill loses no more than the
turn it fell in, which is played again; what an operator asks for happens between two turns and is durable
before it is acknowledged. Trading is stopped by a file that anyone with a shell can write, read at the start
before any trade and five times a second after it; only an operator's `resume`, with a reason, takes it away.
No client, slow or silent, holds up a turn.
"""
