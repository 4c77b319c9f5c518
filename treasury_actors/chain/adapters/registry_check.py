"""Compare a registry with the chain: one batch of reads, before anything is signed."""

from dataclasses import replace

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from treasury_actors.chain.model.registry import (
    PinnedToken,
    Registry,
    RegistryCheck,
    SeenItem,
    compare,
)
from treasury_actors.chain.model.rpc import Answer, RpcCall, RpcError, result_of
from treasury_actors.chain.model.values import data, quantity, to_data
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import ConfigError

_DECIMALS_CALL = "0x313ce567"  # keccak("decimals()")[:4]
_WORD_BYTES = 32


async def check_registry(rpc: Rpc, registry: Registry) -> RegistryCheck:
    """
    Return how the chain differs from what is pinned; raise RpcFault if it can't be read.

    A token that has no decimals, or answers them in another shape than a word, has none.
    """
    items = registry.items
    codes = [RpcCall(method="eth_getCode", params=(item.address.lower(), "latest")) for item in items]
    decimals = [_decimals_call(token.address) for token in registry.tokens]
    answers = await rpc.batch([RpcCall(method="eth_chainId"), *codes, *decimals])
    chain_id = quantity(result_of(answers[0], "chain id"), "chain id", bits=64)
    seen = tuple(
        SeenItem(
            checksummed=to_checksum_address(item.address.lower()),
            code_hash=_code_hash(answers[1 + position], item.name),
            decimals=_decimals(answers[1 + len(items) + position]) if isinstance(item, PinnedToken) else None,
        )
        for position, item in enumerate(items)
    )
    return compare(registry, chain_id, seen)


def refuse(check: RegistryCheck) -> None:
    """Raise ConfigError with the first difference, if there is one."""
    if check.refused:
        first, more = check.refused[0], len(check.refused) - 1
        rest = f" (and {more} more)" if more else ""
        raise ConfigError(f"registry: {first.name}: {first.problem.name}: {first.detail}{rest}")


async def pin_code(rpc: Rpc, registry: Registry) -> Registry:
    """
    Return the registry with the code hashes the chain has now: for contracts we just deployed ourselves.

    Raises ConfigError if anything else differs.
    """
    check = await check_registry(rpc, registry)
    refuse(check)
    hashes = dict(check.code_hashes)
    return replace(
        registry,
        tokens=tuple(replace(token, code_hash=hashes[token.name]) for token in registry.tokens),
        contracts=tuple(replace(item, code_hash=hashes[item.name]) for item in registry.contracts),
    )


def _decimals_call(address: str) -> RpcCall:
    return RpcCall(method="eth_call", params=({"to": address.lower(), "data": _DECIMALS_CALL}, "latest"))


def _code_hash(answer: Answer, name: str) -> str | None:
    """Return the keccak-256 of the code, None where there is none."""
    code = data(result_of(answer, f"code of {name}"), f"code of {name}")
    return to_data(keccak(code)) if code else None


def _decimals(answer: Answer) -> int | None:
    if isinstance(answer, RpcError):
        return None
    content = data(answer, "decimals")
    return int.from_bytes(content) if len(content) == _WORD_BYTES else None
