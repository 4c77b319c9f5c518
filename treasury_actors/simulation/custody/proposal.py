"""`safe-propose`: one call for a Safe's owners to sign, checked against the chain before it is written."""

from dataclasses import dataclass
from typing import Literal

from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.chain.model import values
from treasury_actors.chain.ports import Rpc
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.money import Asset
from treasury_actors.simulation.custody.reading import read_block, units_of, view
from treasury_actors.simulation.custody.session import ChosenChain, checked_address, open_chain
from treasury_actors.trading.adapters.evm.erc20 import APPROVE, BALANCE_OF
from treasury_actors.trading.adapters.evm.safe import ADD_OWNER, ADDRESS_ZERO, read_safe, transaction_hash
from treasury_actors.trading.adapters.evm.safe_batch import TRANSFER, Proposal, batch_json
from treasury_actors.trading.model.safe import SafeRefused, SafeState, SafeTransaction

Action = Literal["fund", "allowance", "add-owner"]
_SENTINEL = "0x" + "00" * 19 + "01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What is to be proposed.

    Attributes:
        to: who is paid, who may take, or who becomes an owner.
        asset, units: of what and how much; None for a new owner.
        threshold: how many must sign afterwards; None leaves it. For a new owner alone.
    """

    action: Action
    safe: str
    to: str
    asset: AssetId | None = None
    units: int | None = None
    threshold: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """
    A file for the owners, and what they need to compare.

    Attributes:
        text: of the Transaction Builder file.
        summary: what it does, one line.
        safe_tx_hash: what each owner signs, if this is the Safe's next transaction.
    """

    text: str
    summary: str
    state: SafeState
    safe_tx_hash: str


async def propose(chosen: ChosenChain, wanted: Wanted, clock: Clock) -> Proposed:
    """
    Return the file; raise ConfigError of one line for what must not be proposed.

    The chain's registry is checked first, so that a token is the one pinned, and the Safe is read: a Safe
    1.4.1 as it was published, who owns it, how many must sign, and that it holds what is to leave it.
    """
    _refuse_options(wanted)
    async with open_chain(chosen, clock) as rpc:
        refuse(await check_registry(rpc, chosen.registry))
        state = await read_safe(rpc, wanted.safe, chosen.registry.chain_id)
        if isinstance(state, SafeRefused):
            raise ConfigError(f"--safe {wanted.safe}: {state.reason}: {state.detail}")
        if wanted.to.lower() in {wanted.safe.lower(), ADDRESS_ZERO, _SENTINEL}:
            raise ConfigError(f"--to {wanted.to}: allowed: another address than the Safe's own or nobody's")
        if wanted.action == "add-owner":
            call, summary = _new_owner(wanted, state)
        else:
            call, summary = await _token_call(rpc, chosen, wanted, state)
        time_s = (await read_block(rpc)).time_s
    chain_id = chosen.registry.chain_id
    text = batch_json(
        (call,),
        safe=wanted.safe,
        chain_id=chain_id,
        time_s=time_s,
        name="Treasury Arena",
        description=summary,
    )
    transaction = SafeTransaction(
        chain_id=chain_id, safe=wanted.safe, to=call.to, value_wei=0, data=call.data, nonce=state.nonce
    )
    return Proposed(
        text=text, summary=summary, state=state, safe_tx_hash=values.to_data(transaction_hash(transaction))
    )


def _refuse_options(wanted: Wanted) -> None:
    """Raise ConfigError where options don't go together."""
    named = (("--asset", wanted.asset), ("--units", wanted.units))
    if wanted.action == "add-owner":
        for option, value in named:
            if value is not None:
                raise ConfigError(f"{option}: allowed with --action fund or allowance alone")
        return
    for option, value in named:
        if value is None:
            raise ConfigError(f"{option}: missing; --action {wanted.action} needs --asset and --units")
    if wanted.threshold is not None:
        raise ConfigError("--threshold: allowed with --action add-owner alone")


def _new_owner(wanted: Wanted, state: SafeState) -> tuple[Proposal, str]:
    """Return the call that adds an owner; the threshold stays unless another is asked for."""
    if wanted.to.lower() in state.owners:
        raise ConfigError(f"--to {wanted.to}: is an owner already; allowed: a new one")
    most = len(state.owners) + 1
    threshold = state.threshold if wanted.threshold is None else wanted.threshold
    if not 1 <= threshold <= most:
        raise ConfigError(f"--threshold {threshold}: allowed: 1 to {most}, the owners there will be")
    summary = f"add owner {wanted.to}; afterwards {threshold} of {most} must sign"
    return Proposal(to=wanted.safe, function=ADD_OWNER, values=(wanted.to, threshold)), summary


async def _token_call(
    rpc: Rpc, chosen: ChosenChain, wanted: Wanted, state: SafeState
) -> tuple[Proposal, str]:
    """Return the transfer or the exact allowance of a pinned token, never above what the Safe holds."""
    assert wanted.asset is not None, "options were checked"
    assert wanted.units is not None, "options were checked"
    pinned = {token.asset: token for token in chosen.registry.tokens}
    if wanted.asset not in pinned:
        raise ConfigError(f"--asset {wanted.asset}: allowed: {', '.join(pinned)}")
    token = pinned[wanted.asset]
    if wanted.to.lower() == token.address.lower():
        raise ConfigError(f"--to {wanted.to}: is the token itself; what is sent there is lost")
    least = 0 if wanted.action == "allowance" else 1
    if wanted.units < least:
        raise ConfigError(f"--units {wanted.units}: allowed: from {least}")
    question = view(token.address, BALANCE_OF.encode(wanted.safe), values.to_quantity(state.block))
    [answer] = await rpc.batch([question])
    held = units_of(answer, f"balance of {wanted.asset}")
    if wanted.units > held:
        raise ConfigError(
            f"--units {wanted.units}: allowed: at most {held}, the {wanted.asset} the Safe holds"
        )
    asset = Asset(id=token.asset, decimals=token.decimals, tick_exponent=0)
    amount = f"{asset.format(wanted.units)} {token.asset}"
    if wanted.action == "fund":
        function, summary = TRANSFER, f"transfer {amount} to {wanted.to}"
    elif wanted.units:
        function, summary = APPROVE, f"allow {wanted.to} to take exactly {amount}"
    else:
        function, summary = APPROVE, f"take back what {wanted.to} may take of {token.asset}"
    checked = checked_address(token.address.lower(), "token")
    return Proposal(to=checked, function=function, values=(wanted.to, wanted.units)), summary
