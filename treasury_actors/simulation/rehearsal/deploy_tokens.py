"""Tokens anybody may mint, wrapped ether, and ERC-4626 vaults: what the protocols are fed with."""

from collections.abc import Sequence
from dataclasses import dataclass

from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter, View

_E18 = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """An ERC-4626 vault: its shares are the token at its address."""

    address: str
    underlying: str
    share_decimals: int
    underlying_decimals: int

    @property
    def offset(self) -> int:
        """Decimals its shares have beyond its underlying: how OpenZeppelin blunts inflation attacks."""
        return self.share_decimals - self.underlying_decimals


async def deploy_weth(writer: BlockWriter) -> str:
    """Deploy WETH9."""
    return await writer.deploy("WETH9")


async def deploy_token(writer: BlockWriter, *, symbol: str, decimals: int) -> str:
    """Deploy an ERC-20 that anybody may mint (Aave's test token)."""
    return await writer.deploy("MintableERC20", symbol, symbol, decimals)


async def deploy_vault(
    writer: BlockWriter, *, symbol: str, underlying: str, underlying_decimals: int, share_decimals: int
) -> Vault:
    """Deploy our subclass of OpenZeppelin's ERC-4626; it earns when somebody gives it assets."""
    offset = share_decimals - underlying_decimals
    assert offset >= 0, "shares have no fewer decimals than what they stand for"
    address = await writer.deploy("RehearsalVault", underlying, symbol, symbol, offset)
    return Vault(
        address=address,
        underlying=underlying,
        share_decimals=share_decimals,
        underlying_decimals=underlying_decimals,
    )


async def gifts_for(writer: BlockWriter, vaults: Sequence[tuple[Vault, float]]) -> list[int]:
    """
    Return the assets each vault lacks for one share to be worth so much; negative is a surplus.

    A vault counts (assets + 1) / (shares + 10^offset), OpenZeppelin's virtual share included.
    """
    found = await writer.numbers(
        [
            View(to=vault.address, signature=signature)
            for vault, _ in vaults
            for signature in ("totalAssets()", "totalSupply()")
        ]
    )
    return [
        round(price * _E18) * (shares + 10**vault.offset) // (_E18 * 10**vault.offset) - 1 - assets
        for (vault, price), assets, shares in zip(vaults, found[::2], found[1::2], strict=True)
    ]
