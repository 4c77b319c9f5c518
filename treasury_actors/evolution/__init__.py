"""
Breeding: genomes, the operators that make one from others, and who goes and comes at a round.

A *genome* is a family and one integer a gene, in stated units. Chance is stateless: every draw follows from
its path, such as (seed, "birth", round, slot), so a restart draws the same. Nothing here computes a fitness:
it is given, already recorded, and only those who have one are bred or retired.
"""
