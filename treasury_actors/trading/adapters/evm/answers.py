"""What the simulation of a call answered, read the same way for every protocol."""

from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, explain, refused
from treasury_actors.trading.adapters.evm.protocol import BlockId, Call, Reads, Reverted


async def attempt(
    reads: Reads, call: Call, owner: str, block: BlockId, function: abi.Function | None
) -> Refused | None:
    """
    Try a call at a block as `owner`, with its own value and gas limit, and return why it would fail.

    `function` says how to read the units it brings, which must be at least what the call promises; None for a
    call that returns nothing.
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
    if function is None:
        return None
    return check_units(function, answer, call.units_out_min)


def check_units(function: abi.Function, answer: bytes, units_out_min: int) -> Refused | None:
    """Return why an answer won't do: it is no number, or too small a one."""
    units = units_of(function, answer)
    if isinstance(units, Refused):
        return units
    if units < units_out_min:
        return refused(VenueReason.SLIPPAGE, f"brings {units} units, less than {units_out_min}")
    return None


def units_of(function: abi.Function, answer: bytes) -> int | Refused:
    """Return the number an answer holds, or that it holds none."""
    if not answer:
        return refused(VenueReason.NO_CODE, f"{function.signature} answered nothing: no such contract")
    try:
        return function.returned_units(answer)
    except ValueError as problem:
        return refused(VenueReason.RETURNED_GARBAGE, f"{function.signature}: {problem}")
