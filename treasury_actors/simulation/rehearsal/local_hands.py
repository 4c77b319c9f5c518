"""
Other people's hands on a local chain that stands: a sponsor, the owner of a Safe, whoever relays for them.

All of it works with accounts every local node has, whose keys are published; on any other chain it refuses.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.chain.model.faults import ToolFault
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID, Registry
from treasury_actors.chain.model.registry_json import registry_from_json
from treasury_actors.chain.model.rpc import Json, result_of
from treasury_actors.chain.model.values import field, mapping, quantity, sequence
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.custody.session import checked_address
from treasury_actors.simulation.rehearsal.contracts import ADDRESS_ZERO, call_data, decoded
from treasury_actors.simulation.rehearsal.deploy_session import checksummed
from treasury_actors.simulation.rehearsal.local_chain import REGISTRY_NAME, URL_NAME
from treasury_actors.trading.adapters.evm.abi import Function
from treasury_actors.trading.adapters.evm.erc20 import APPROVE
from treasury_actors.trading.adapters.evm.safe import (
    EXECUTE,
    check_transaction,
    execution_values,
    read_safe,
    transaction_hash,
    try_execution,
)
from treasury_actors.trading.adapters.evm.safe_batch import TRANSFER, checksum
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.safe import SafeRefused, SafeTransaction

OWNER_KEY: Final = "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"
"""A published key, of an account every local node has: it owns Safes on the local chain, and nowhere else."""

MINTED: Final = (AssetId("USDC"), AssetId("USDT"))
_RELAYER = 7
_LOOKS_MAX, _LOOK_S = 300, 0.1
_SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
_CREATE = "createProxyWithNonce(address,bytes,uint256)"
_SIGNED_BY_OWNERS: Final = {"transfer": TRANSFER, "approve": APPROVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """A session with a local chain that stands, and the account that pays for what is sent."""

    rpc: HttpRpc
    registry: Registry
    relayer: str

    async def send(self, to: str, data: str) -> str:
        """Send one transaction of the relayer's, wait until it is in a block, return its hash."""
        call: dict[str, Json] = {"from": self.relayer, "to": to, "data": data, "gas": hex(1_500_000)}
        tx_hash = str(await self.ask("eth_sendTransaction", call))
        for _ in range(_LOOKS_MAX):
            found = await self.ask("eth_getTransactionReceipt", tx_hash)
            if found is not None:
                receipt = mapping(found, "receipt")
                if quantity(field(receipt, "status", "receipt"), "status") != 1:
                    raise ToolFault(f"{tx_hash}: the local chain refused it")
                return tx_hash
            await anyio.sleep(_LOOK_S)
        raise ToolFault(f"{tx_hash}: not mined; does `local-chain` still run?")

    async def ask(self, method: str, *params: Json) -> Json:
        """Return the result of one JSON-RPC call."""
        return result_of(await self.rpc.call(method, params), method)


@asynccontextmanager
async def open_hands(folder: Path) -> AsyncIterator[Hands]:
    """Open a session with the chain that `local-chain --out folder` keeps; raise ConfigError for another."""
    url, registry = read_chain(folder)
    if registry.chain_id != LOCAL_CHAIN_ID:
        raise ConfigError(f"{folder}: chain {registry.chain_id}; allowed: {LOCAL_CHAIN_ID}, a local one")
    async with HttpRpc(Endpoint(url=url)) as rpc:
        refuse(await check_registry(rpc, registry))
        accounts = sequence(result_of(await rpc.call("eth_accounts"), "eth_accounts"), "eth_accounts")
        yield Hands(rpc=rpc, registry=registry, relayer=str(accounts[_RELAYER]))


def read_chain(folder: Path) -> tuple[str, Registry]:
    """Return where a local chain answers, and what stands on it."""
    try:
        url = (folder / URL_NAME).read_text(encoding="utf-8").strip()
        text = (folder / REGISTRY_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"{folder}: no local chain there; make one: run.py local-chain --out {folder}"
        ) from None
    return url, registry_from_json(text, str(folder / REGISTRY_NAME))


async def new_safe(hands: Hands) -> str:
    """Create a Safe 1.4.1 of one owner, empty, and return its address."""
    pinned = {contract.name: contract.address for contract in hands.registry.contracts}
    owner = LocalSigner(OWNER_KEY, chain_id=LOCAL_CHAIN_ID).address
    handler = pinned["safe:fallback-handler"]
    setup = call_data(_SETUP, [owner], 1, ADDRESS_ZERO, b"", handler, ADDRESS_ZERO, 0, ADDRESS_ZERO)
    salt = quantity(await hands.ask("eth_blockNumber"), "block number")
    create = call_data(_CREATE, pinned["safe:singleton"], bytes.fromhex(setup.removeprefix("0x")), salt)
    factory = pinned["safe:factory"]
    call: Json = {"from": hands.relayer, "to": factory, "data": create}
    found = decoded("(address)", str(await hands.ask("eth_call", call, "latest")))[0]
    await hands.send(factory, create)
    return checksummed(str(found))


async def give(hands: Hands, to: str, asset: AssetId, amount: str) -> int:
    """Give an account tokens or ether out of nothing, as a sponsor would; return the units."""
    if asset not in (*MINTED, MAINNET.gas):
        raise ConfigError(f"--asset {asset}: allowed: {', '.join((*MINTED, MAINNET.gas))}")
    try:
        units = MAINNET.by_id[asset].parse(amount)
    except ValueError as error:
        raise ConfigError(f"--amount {error}") from None
    if units <= 0:
        raise ConfigError(f"--amount {amount}: allowed: above 0")
    if asset == MAINNET.gas:
        has = quantity(await hands.ask("eth_getBalance", to, "latest"), "balance")
        await hands.ask("anvil_setBalance", to, hex(has + units))
        return units
    token = next(token.address for token in hands.registry.tokens if token.asset == asset)
    await hands.send(token, call_data("mint(address,uint256)", to, units))
    return units


async def sign_batch(hands: Hands, file: Path) -> list[str]:
    """
    Sign every call of a Transaction Builder file as the Safe's one owner, execute them, return their hashes.

    What the owner signs is computed here from the file, and checked by the Safe itself. Raises ConfigError
    for a file that was changed, for another chain, or for what an owner here does not sign.
    """
    safe, calls = _read_batch(file)
    owner = LocalSigner(OWNER_KEY, chain_id=LOCAL_CHAIN_ID)
    hashes = []
    for to, data in calls:
        state = await read_safe(hands.rpc, safe, LOCAL_CHAIN_ID)
        if isinstance(state, SafeRefused):
            raise ConfigError(f"{safe}: {state.reason}: {state.detail}")
        transaction = SafeTransaction(
            chain_id=LOCAL_CHAIN_ID, safe=safe, to=to, value_wei=0, data=data, nonce=state.nonce
        )
        checked = await check_transaction(
            hands.rpc, transaction, signer=owner.address, chain_id=LOCAL_CHAIN_ID
        )
        signature = owner.sign_safe(transaction)
        tried = await try_execution(hands.rpc, transaction, signature, relayer=hands.relayer)
        for said in (checked, tried):
            if isinstance(said, SafeRefused):
                raise ConfigError(f"{safe}: {said.reason}: {said.detail}")
        await hands.send(safe, call_data(EXECUTE.signature, *execution_values(transaction, signature)))
        hashes.append("0x" + transaction_hash(transaction).hex())
    return hashes


def _read_batch(file: Path) -> tuple[str, list[tuple[str, str]]]:
    """Return the Safe and the calls of a Transaction Builder file."""
    try:
        batch = json.loads(file.read_text(encoding="utf-8"))
        meta, chain_id = batch["meta"], batch["chainId"]
        if meta["checksum"] != checksum(batch):
            raise ConfigError(f"{file}: its checksum is wrong: it was changed; sign nothing of it")
        if chain_id != str(LOCAL_CHAIN_ID):
            raise ConfigError(f"{file}: for chain {chain_id}; allowed: {LOCAL_CHAIN_ID}")
        calls = [(checked_address(entry["to"], "to"), _data_of(entry)) for entry in batch["transactions"]]
        return str(meta["createdFromSafeAddress"]), calls
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{file}: not a Transaction Builder file that `safe-propose` wrote") from None


def _data_of(entry: dict[str, object]) -> str:
    """Return the calldata of one entry; raise ValueError for a call that an owner here does not sign."""
    method, values = entry["contractMethod"], entry["contractInputsValues"]
    if not (isinstance(method, dict) and isinstance(values, dict)):
        raise TypeError("the Builder names the method and its arguments")
    function: Function = _SIGNED_BY_OWNERS[str(method["name"])]
    whom, units = values.values()
    return "0x" + function.encode(str(whom), int(units)).hex()
