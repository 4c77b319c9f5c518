"""
Where published bytecode lies, and how a call is written as bytes: what a deployment needs before any node.

The packages are those of `evm/package.json`, installed outside the repository; nothing is vendored. Our own
few contracts (`evm/contracts`) are compiled once by npm's solc and kept beside the packages.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from treasury_actors.chain.adapters.npm import MANIFEST_DIR, cache_dir, evm_tree, node_js
from treasury_actors.chain.model.faults import ToolFault

COMPILE_WITHIN_S = 120
"""solc needs 3 s for our contracts; a machine that needs this long is broken."""

ADDRESS_ZERO = "0x" + "00" * 20

_AAVE, _SAFE = "@aave/core-v3/artifacts/contracts", "@safe-global/safe-contracts/build/artifacts/contracts"
_PERIPHERY, _CORE = "@uniswap/v3-periphery/artifacts/contracts", "@uniswap/v3-core/artifacts/contracts"
_HARDHAT = {
    f"{_AAVE}/mocks/tokens": "MintableERC20",
    f"{_AAVE}/misc": "AaveOracle AaveProtocolDataProvider",
    f"{_AAVE}/protocol/configuration": "PoolAddressesProvider ACLManager",
    f"{_AAVE}/protocol/libraries/logic": (
        "SupplyLogic BorrowLogic LiquidationLogic EModeLogic BridgeLogic PoolLogic ConfiguratorLogic "
        "FlashLoanLogic"
    ),
    f"{_AAVE}/protocol/pool": "Pool PoolConfigurator DefaultReserveInterestRateStrategy",
    f"{_AAVE}/protocol/tokenization": "AToken VariableDebtToken StableDebtToken",
    _SAFE: "Safe",
    f"{_SAFE}/proxies": "SafeProxyFactory",
    f"{_SAFE}/handler": "CompatibilityFallbackHandler",
    f"{_SAFE}/libraries": "MultiSend",
    _CORE: "UniswapV3Factory UniswapV3Pool",
    _PERIPHERY: "NonfungiblePositionManager SwapRouter NonfungibleTokenPositionDescriptor",
    f"{_PERIPHERY}/lens": "QuoterV2",
    f"{_PERIPHERY}/libraries": "NFTDescriptor",
}
_PLACES = {
    "WETH9": "canonical-weth/build/contracts/WETH9.json",
    "AccessControlledAggregator": "@chainlink/contracts/abi/v0.6/AccessControlledAggregator.json",
    "EACAggregatorProxy": "@chainlink/contracts/abi/v0.6/EACAggregatorProxy.json",
    **{
        name: f"{folder}/{name}.sol/{name}.json"
        for folder, names in _HARDHAT.items()
        for name in names.split()
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """
    A contract as it was published.

    Attributes:
        abi: the entries of its ABI, as JSON has them.
        code: creation bytecode in hex without 0x, with the gaps of libraries unfilled.
        gaps: per library, where in `code` (counted in hex digits) its address belongs.
    """

    name: str
    abi: tuple[Mapping[str, object], ...]
    code: str
    gaps: Mapping[str, tuple[int, ...]]

    def linked(self, libraries: Mapping[str, str]) -> str:
        """Return the creation bytecode with its libraries' addresses in their gaps."""
        code = self.code
        for library, starts in self.gaps.items():
            address = libraries[library].removeprefix("0x").lower()
            for start in starts:
                code = code[:start] + address + code[start + 40 :]
        return code

    @property
    def constructor_types(self) -> tuple[str, ...]:
        """The ABI types of what its constructor takes."""
        for entry in self.abi:
            if entry["type"] == "constructor":
                return tuple(_type(part) for part in _parts(entry["inputs"]))
        return ()


class Artifacts:
    """
    The published contracts, by name.

    Args:
        modules: the `node_modules` folder that holds the packages of `evm/package.json`.
        own: our own contracts as `compile_own` returned them.
    """

    def __init__(self, modules: Path, own: Mapping[str, Artifact]) -> None:
        self._modules = modules
        self._found = dict(own)

    def __getitem__(self, name: str) -> Artifact:
        """Return one contract; raise ToolFault if its package is not installed."""
        if name not in self._found:
            path = self._modules / _PLACES[name]
            try:
                published = json.loads(path.read_text(encoding="utf-8"))
            except OSError as error:
                raise ToolFault(f"{path}: the contract {name} is not installed") from error
            self._found[name] = _read(name, published)
        return self._found[name]


def published() -> Artifacts:
    """Return every contract a rehearsal needs, fetching and compiling at first use; it blocks for so long."""
    tree = evm_tree()
    return Artifacts(tree / "node_modules", compile_own(tree))


def compile_own(tree: Path) -> dict[str, Artifact]:
    """
    Return our own contracts, compiled by npm's solc unless the cache has them; blocks for about 3 s then.

    Args:
        tree: the folder of `node_modules` with solc and OpenZeppelin.

    Raises:
        ToolFault: there is no Node, the compiler failed, or it took longer than `COMPILE_WITHIN_S`.
    """
    script = MANIFEST_DIR / "compile.mjs"
    sources = [script, *sorted((MANIFEST_DIR / "contracts").glob("*.sol"))]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    kept = cache_dir() / f"{tree.name}-own-{digest}.json"
    if not kept.exists():
        words = [node_js().bin_dir / "node", script, tree.resolve() / "node_modules"]
        try:
            done = subprocess.run(  # noqa: S603  # Node, with words of our own
                words, capture_output=True, check=True, timeout=COMPILE_WITHIN_S
            )
        except subprocess.CalledProcessError as error:
            raise ToolFault(f"{script}: {error.stderr.decode(errors='replace')[-400:].strip()}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolFault(f"{script}: the compiler did not run: {error}") from error
        # Two processes may compile at once: each fills its own file, and both files say the same.
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(done.stdout)
        fresh.replace(kept)
    made = json.loads(kept.read_text(encoding="utf-8"))
    return {name: _read(name, entry) for name, entry in made.items()}


def call_data(signature: str, *values: object) -> str:
    """Return the bytes of a call in hex: `call_data("mint(address,uint256)", account, units)`."""
    from eth_utils.crypto import keccak  # noqa: PLC0415  # an extra: only a chain run has it

    arguments = _encode(_split(signature[signature.index("(") :]), values)
    return "0x" + (bytes(keccak(text=signature))[:4] + arguments).hex()


def creation_data(artifact: Artifact, values: Sequence[object], libraries: Mapping[str, str]) -> str:
    """Return the bytes that deploy a contract, in hex."""
    return "0x" + artifact.linked(libraries) + _encode(artifact.constructor_types, values).hex()


def decoded(types: str, answer: str) -> tuple[object, ...]:
    """Return what a call answered, read as `types` such as `"(uint160,int24)"`."""
    from eth_abi.abi import decode  # noqa: PLC0415  # an extra: only a chain run has it

    return tuple(decode(_split(types), bytes.fromhex(answer.removeprefix("0x"))))


def _encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    from eth_abi.abi import encode  # noqa: PLC0415  # an extra: only a chain run has it

    return bytes(encode(list(types), list(values)))


@lru_cache(maxsize=512)
def _split(types: str) -> tuple[str, ...]:
    """Return the members of `"(a,(b,c)[],d)"`: `a`, `(b,c)[]`, `d`."""
    members: list[str] = []
    depth, start = 0, 1
    for place, sign in enumerate(types):
        if sign == "(":
            depth += 1
        elif (sign == "," and depth == 1) or (sign == ")" and depth == 1):
            members.append(types[start:place])
            start = place + 1
        if sign == ")":
            depth -= 1
    return tuple(member for member in members if member)


def _read(name: str, published: Mapping[str, object]) -> Artifact:
    """Return a contract from the JSON of Hardhat, Truffle, 0x's sol-compiler or our own compiler."""
    output = published.get("compilerOutput")
    if isinstance(output, dict):
        abi, code = output["abi"], output["evm"]["bytecode"]["object"]
    else:
        abi, code = published["abi"], published["bytecode"]
    assert isinstance(abi, list)
    assert isinstance(code, str)
    gaps: dict[str, tuple[int, ...]] = {}
    references = published.get("linkReferences")
    if isinstance(references, dict):
        for libraries in references.values():
            for library, places in libraries.items():
                gaps[library] = tuple(place["start"] * 2 for place in places)
    return Artifact(name=name, abi=tuple(abi), code=code.removeprefix("0x"), gaps=gaps)


def _parts(inputs: object) -> list[Mapping[str, object]]:
    assert isinstance(inputs, list)
    return inputs


def _type(part: Mapping[str, object]) -> str:
    """Return the type of an ABI entry, with a tuple spelt out."""
    name = str(part["type"])
    if not name.startswith("tuple"):
        return name
    return f"({','.join(_type(inner) for inner in _parts(part['components']))}){name.removeprefix('tuple')}"
