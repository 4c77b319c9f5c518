"""What the simulation of a call answered, read the same way for every protocol."""

from collections.abc import Callable

from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, explain, refused
from treasury_actors.trading.adapters.evm.protocol import BlockId, Call, Reads, Reverted


async def attempt(
    reads: Reads, call: Call, owner: str, block: BlockId, units_in: Callable[[bytes], int] | None
) -> Refused | None:
    """
    Try a call at a block as `owner`, with its own value and gas limit, and return why it would fail.

    `units_in` reads the units it brings from its answer, which must be at least what the call promises; None
    for a call that answers nothing.
    """
    answer = await reads.call(
        to=call.to,
        data=call.data,
        block=block,
        sender=owner,
        value_wei=call.value_wei,
        gas=call.gas_limit,
    )
    if isinstance(answer, Reverted):
        return explain(answer.data, answer.message)
    if units_in is None:
        return None
    units = units_of(units_in, answer)
    if isinstance(units, Refused):
        return units
    if units < call.units_out_min:
        return refused(VenueReason.SLIPPAGE, f"brings {units} units, less than {call.units_out_min}")
    return None


def units_of(units_in: Callable[[bytes], int], answer: bytes) -> int | Refused:
    """Return the number an answer holds, or that it holds none."""
    if not answer:
        return refused(VenueReason.NO_CODE, "it answered nothing: there is no such contract")
    try:
        return units_in(answer)
    except ValueError as problem:
        return refused(VenueReason.RETURNED_GARBAGE, str(problem))
