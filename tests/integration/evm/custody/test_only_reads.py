"""No command of custody asks a node for anything but what it knows; and what a node says is not trusted."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.integration.evm.custody.vault import USDC, Vault
from tests.integration.evm.fault_proxy import CUT, HTML, NAN, NULL_RESULT, FaultProxy, lie
from treasury_actors.cli.main import main

READS = {
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_feeHistory",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getStorageAt",
    "eth_getTransactionCount",
}
"""All that any of the commands may ask a node."""


@pytest.fixture
async def proxy(vault: Vault) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(vault.url) as between:
        yield between


def command(vault: Vault, name: str, url: str, *more: str) -> list[str]:
    where = ["--rpc", url, "--chain", "rehearsal", "--registry", str(vault.registry)]
    who = ["--safe", vault.safe] if name == "safe-propose" else ["--address", vault.wallet]
    what = ["--to", vault.wallet, "--asset", "USDC", "--units", "1"] if name == "safe-propose" else []
    return [name, *where, *who, *what, *more]


@pytest.mark.parametrize("name", ["observe", "check-wallet", "safe-propose"])
async def test_a_command_only_reads(vault: Vault, proxy: FaultProxy, name: str) -> None:
    await vault.world.fund(vault.wallet, USDC, 10**6)

    assert await asyncio.to_thread(main, command(vault, name, proxy.url)) == 0

    assert proxy.seen, "it went through the proxy"
    assert set(proxy.seen) <= READS


@pytest.mark.parametrize("name", ["observe", "check-wallet", "safe-propose"])
@pytest.mark.parametrize("fault", [HTML, CUT, NAN, NULL_RESULT], ids=["html", "cut", "nan", "null"])
async def test_a_node_that_talks_nonsense_is_a_fault_in_one_line(
    vault: Vault, proxy: FaultProxy, capsys: pytest.CaptureFixture[str], name: str, fault: object
) -> None:
    proxy.always("eth_getBlockByNumber", fault)  # type: ignore[arg-type]
    proxy.always("eth_blockNumber", fault)  # type: ignore[arg-type]

    assert await asyncio.to_thread(main, command(vault, name, proxy.url)) == 69

    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.out == ""


async def test_a_dead_endpoint_is_passed_over(
    vault: Vault, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    words = command(vault, "check-wallet", "http://127.0.0.1:9", "--rpc", proxy.url, "--json")

    assert await asyncio.to_thread(main, words) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


async def test_one_endpoint_on_another_chain_spoils_the_whole_list(
    vault: Vault, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.always("eth_chainId", lie("0x1"))
    words = command(vault, "check-wallet", vault.url, "--rpc", proxy.url, "--json")

    assert await asyncio.to_thread(main, words) == 1
    checked = json.loads(capsys.readouterr().out)
    assert (checked["ok"], checked["block"]) == (False, None)
    assert [line["name"] for line in checked["checks"]] == ["chain"]
