"""
The arena gives capital to the fit, takes it from the unfit, and breeds the next generation.

It owns the *roster*: who lives, with which genome and mandate, who descended from whom. It supervises the
agents: an agent that crashes is restarted within its budget, then quarantined; its siblings never notice.
At each *round* fitness is computed, then recorded; then the worst are retired, children are bred into the
slots whose capital is home, and capital is allotted again. Every allotment is a transfer from the stage's
pool: more than the pool holds can't be expressed in the ledger and is refused here by name (I6).
"""
