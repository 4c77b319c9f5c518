"""A chain that isn't what is pinned: the check before trading names the difference, and nothing starts."""

from dataclasses import replace

import pytest

from tests.integration.evm.venues.place import LINK, USDC, Place
from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.chain.model.registry import Registry, RegistryProblem
from treasury_actors.errors import ConfigError


async def problems(place: Place, pinned: Registry) -> list[tuple[str, RegistryProblem]]:
    """Return what the real chain says against a registry; whatever it is, a start is refused."""
    found = await check_registry(place.rpc, pinned)
    with pytest.raises(ConfigError, match="registry: "):
        refuse(found)
    return [(finding.name, finding.problem) for finding in found.refused]


async def test_decimals_that_were_swapped_are_refused(place: Place) -> None:
    """A dollar pinned with the 18 decimals of another token would be worth a million millionth of itself."""
    pinned = await place.world.registry()
    swapped = {USDC: 18, LINK: 6}
    tokens = tuple(
        replace(token, decimals=swapped.get(token.asset, token.decimals)) for token in pinned.tokens
    )

    assert await problems(place, replace(pinned, tokens=tokens)) == [
        (USDC, RegistryProblem.OTHER_DECIMALS),
        (LINK, RegistryProblem.OTHER_DECIMALS),
    ]


async def test_another_chain_is_refused_whatever_else_is_right(place: Place) -> None:
    pinned = replace(await place.world.registry(), chain_id=8_453, chain_name="base")

    assert await problems(place, pinned) == [("base", RegistryProblem.WRONG_CHAIN)]


async def test_other_code_at_a_pinned_address_is_refused(place: Place) -> None:
    pinned = await place.world.registry()
    router = pinned.contract("uniswap-v3:router")
    await place.ask("anvil_setCode", router.address, "0x6000")

    assert await problems(place, pinned) == [(router.name, RegistryProblem.OTHER_CODE)]


async def test_a_contract_that_is_gone_is_refused(place: Place) -> None:
    pinned = await place.world.registry()
    token = pinned.token(USDC)
    await place.ask("anvil_setCode", token.address, "0x")

    assert (USDC, RegistryProblem.NO_CODE) in await problems(place, pinned)
