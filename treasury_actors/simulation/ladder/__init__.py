"""
A scripted season that climbs the whole ladder on the virtual clock: $0, $10K, $50K, $200K.

Two houses play the same frames: in one agents are bred on paper, in the other those who passed a gate trade
money that people have approved. Only a genome and a record of evidence go from the first to the second.
"""
