"""Names of things. Every id is a string, derived (never random), stable across a restart."""

from typing import NewType

AgentId = NewType("AgentId", str)  # "trend-0007": family and birth number
AccountId = NewType("AccountId", str)  # "agent:trend-0007:available"
AssetId = NewType("AssetId", str)  # "WETH"
ConversionId = NewType("ConversionId", str)  # "USDC>WETH@uniswap-v3"
VenueId = NewType("VenueId", str)  # "uniswap-v3"
OrderId = NewType("OrderId", str)  # "trend-0007/1234/0": agent, turn, number
EntryId = NewType("EntryId", str)  # chosen by the sender of a money message
GenomeId = NewType("GenomeId", str)  # hash of the canonical genome
FamilyId = NewType("FamilyId", str)  # file name of the strategy
