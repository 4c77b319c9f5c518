"""Files for a Safe's owners: the Builder's own checksum, readable calls, numbers that JavaScript keeps."""

import json
from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

from treasury_actors.chain.model.rpc import Json
from treasury_actors.trading.adapters.evm import abi, safe
from treasury_actors.trading.adapters.evm.erc20 import APPROVE
from treasury_actors.trading.adapters.evm.safe_batch import TRANSFER, Proposal, batch_json, checksum

SAFE = "0xA77DE01e157f9f57C7c4A326eeE9C4874D0598b6"
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
SPENDER = "0x474e5Ded6b5D078163BFB8F6dBa355C3aA5478C8"
APPROVAL = Proposal(to=USDC, function=APPROVE, values=(SPENDER, 100_000_000_000))
PUBLISHED_CHECKSUM = "0x8b5032f716845c8b08bab3d63dbd9ba92e056f3557793cd041e59b84e16aa989"
"""Of a file that the Builder 1.18.2 itself wrote, at 1,761,326,849,944 ms, of the approval above."""


def batch(*proposals: Proposal) -> dict[str, Json]:
    text = batch_json(
        proposals, safe=SAFE, chain_id=1, time_s=1_761_326_849, name="Transactions Batch", description=""
    )
    parsed: dict[str, Json] = json.loads(text)
    return parsed


def test_the_checksum_is_the_one_the_builder_computes() -> None:
    theirs = batch(APPROVAL) | {"createdAt": 1_761_326_849_944}

    assert checksum(theirs) == PUBLISHED_CHECKSUM


def test_the_file_carries_its_own_checksum_and_a_change_shows() -> None:
    made = batch(APPROVAL)
    meta = made["meta"]
    assert isinstance(meta, dict)

    assert meta["checksum"] == checksum(made)
    assert checksum(made | {"chainId": "10"}) != meta["checksum"]
    assert checksum(batch(replace(APPROVAL, values=(SPENDER, 1)))) != meta["checksum"]
    assert checksum(made | {"meta": meta | {"name": "other"}}) == meta["checksum"], "a name may be changed"


def test_an_owner_is_shown_a_call_and_not_bytes() -> None:
    [transaction] = sequence(batch(APPROVAL)["transactions"])

    assert transaction == {
        "to": USDC,
        "value": "0",
        "data": None,
        "contractMethod": {
            "inputs": [
                {"internalType": "address", "name": "spender", "type": "address"},
                {"internalType": "uint256", "name": "value", "type": "uint256"},
            ],
            "name": "approve",
            "payable": False,
        },
        "contractInputsValues": {"spender": SPENDER, "value": "100000000000"},
    }


@pytest.mark.parametrize("units", [0, 1, 2**53 + 1, 2**256 - 1])
def test_every_number_is_a_string_to_the_unit(units: int) -> None:
    [transaction] = sequence(batch(replace(APPROVAL, values=(SPENDER, units)))["transactions"])

    assert isinstance(transaction, dict)
    arguments = transaction["contractInputsValues"]
    assert isinstance(arguments, dict)
    assert arguments["value"] == str(units)


def test_the_time_is_the_chains_in_milliseconds() -> None:
    assert batch(APPROVAL)["createdAt"] == 1_761_326_849_000


@pytest.mark.parametrize(
    "function",
    [
        *(getattr(safe, name) for name in ("EXECUTE", "HASH_OF", "ADD_OWNER", "VERSION", "OWNERS")),
        *(getattr(safe, name) for name in ("THRESHOLD", "NONCE", "MODULES")),
        TRANSFER,
    ],
    ids=lambda function: str(function.signature).partition("(")[0],
)
def test_every_pinned_selector_is_that_of_its_signature(function: abi.Function) -> None:
    assert function.selector == keccak(text=function.signature)[:4]


def test_the_pinned_slots_and_type_hashes_are_those_of_their_texts() -> None:
    fields = "address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas"
    fields += ",uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce"

    assert keccak(text=f"SafeTx({fields})") == safe.SAFE_TX_TYPEHASH
    assert keccak(text="EIP712Domain(uint256 chainId,address verifyingContract)") == safe.DOMAIN_TYPEHASH
    assert "0x" + keccak(text="guard_manager.guard.address").hex() == safe.GUARD_SLOT
    assert "0x" + keccak(text="fallback_manager.handler.address").hex() == safe.FALLBACK_SLOT


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_of_addresses_is_read_wherever_its_tail_stands(count: int) -> None:
    members = tuple(f"0x{n:040x}" for n in range(1, count + 1))
    tail = abi.encode(("uint256", *("address",) * count), (count, *members))

    assert safe.addresses(abi.encode(("uint256",), (32,)) + tail) == members
    assert safe.addresses(
        abi.encode(("uint256", "address"), (64, members[0] if members else SAFE)) + tail
    ) == (members)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(32), (32).to_bytes(32, "big") + b"\xff" * 32])
def test_a_list_that_is_cut_short_or_endless_is_refused(data: bytes) -> None:
    if data == bytes(32):  # an offset of 0 points at itself: a list of no members
        assert safe.addresses(data) == ()
    else:
        with pytest.raises(ValueError, match=r"cut short|allowed"):
            safe.addresses(data)


def sequence(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value
