"""
The price truth: what can be held, what it costs to convert, and what was knowable when.

A *universe* names assets and the conversions between them. A *frame* is everything knowable at one moment:
prices in integer ticks, rates, depths, gas, and whether each price is fresh. A *season* is a span of frames
with the warm-up before it, from a folder of market data, a catalog, or made up by the generator (then it says
GENERATED wherever it is shown). *Features* are prefix sums over the frames seen so far, the same for every
agent: a mean or a volatility over any span is two look-ups, and what is later isn't there to be read.

Every row of data has two times: when it happened and when it was known. Only the second decides which frame
may show it. A gap is a fact: the asset can't be traded while its price is missing, it is valued at the last
known one, and nothing is made up.
"""
