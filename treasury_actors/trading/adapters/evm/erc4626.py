"""
ERC-4626 vaults, any of them: deposit an exact amount of the asset, redeem an exact number of shares.

The standard knows neither minimum nor deadline, so a share price moved between simulation and block is not
held off on chain: the call is simulated at pending with its minimum, and its receipt says what it brought.
The preview is the vault's word, and so is `maxRedeem`: what it can pay out now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.answers import attempt, units_of
from treasury_actors.trading.adapters.evm.erc20 import BALANCE_OF, net_received, read_units
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, explain, refused
from treasury_actors.trading.adapters.evm.protocol import (
    Approval,
    BlockId,
    Call,
    Decoded,
    Log,
    Reads,
    Reverted,
    Settled,
    Undecodable,
)

DEPOSIT = abi.Function(
    signature="deposit(uint256,address)", selector=bytes.fromhex("6e553f65"), returns="(uint256)"
)
REDEEM = abi.Function(
    signature="redeem(uint256,address,address)", selector=bytes.fromhex("ba087652"), returns="(uint256)"
)
PREVIEW_DEPOSIT = abi.Function(
    signature="previewDeposit(uint256)", selector=bytes.fromhex("ef8b30f7"), returns="(uint256)"
)
PREVIEW_REDEEM = abi.Function(
    signature="previewRedeem(uint256)", selector=bytes.fromhex("4cdad506"), returns="(uint256)"
)
MAX_DEPOSIT = abi.Function(
    signature="maxDeposit(address)", selector=bytes.fromhex("402d267d"), returns="(uint256)"
)
MAX_REDEEM = abi.Function(
    signature="maxRedeem(address)", selector=bytes.fromhex("d905777e"), returns="(uint256)"
)
ASSET = abi.Function(signature="asset()", selector=bytes.fromhex("38d52e0f"), returns="(address)")
GAS_DEPOSIT = 700_000
GAS_REDEEM = 900_000
"""A vault of vaults (MetaMorpho) walks its markets; a plain one uses some 100,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAddresses:
    """A pinned vault, which is its own share token, and the asset it takes."""

    share: AssetId
    vault: str
    asset: AssetId
    token: str


class Erc4626:
    """Deposits to and redeems from one pinned vault."""

    settles_by_holdings = False

    def __init__(self, *, reads: Reads, addresses: VaultAddresses) -> None:
        self._reads = reads
        self._share, self._asset = addresses.share, addresses.asset
        self._vault = abi.address(addresses.vault)
        self._token = abi.address(addresses.token)

    def __repr__(self) -> str:
        return f"<Erc4626 {self._share} {self._vault}>"

    async def quote(self, step: Conversion, units: int, block: BlockId) -> int | Refused:
        """Return what the vault's preview says the conversion brings at a block."""
        entering = self._enters(step, units)
        if isinstance(entering, Refused):
            return entering
        function = PREVIEW_DEPOSIT if entering else PREVIEW_REDEEM
        answer = await self._reads.call(to=self._vault, data=function.encode(units), block=block)
        if isinstance(answer, Reverted):
            return explain(answer.data, answer.message)
        return units_of(function.returned_units, answer)

    async def build(
        self, step: Conversion, units: int, units_out_min: int, *, deadline_s: int, owner: str
    ) -> Call | Refused:
        """Return the deposit, or redemption, of exactly `units`, by and for `owner`."""
        del deadline_s
        entering = self._enters(step, units)
        if isinstance(entering, Refused):
            return entering
        limit = MAX_DEPOSIT if entering else MAX_REDEEM
        units_max = await read_units(self._reads, self._vault, limit, owner, block="latest")
        if units > units_max:
            return refused(VenueReason.VAULT_LIMIT, f"{units} units, {limit.signature} is {units_max}")
        return Call(
            to=self._vault,
            data=DEPOSIT.encode(units, owner) if entering else REDEEM.encode(units, owner, owner),
            value_wei=0,
            gas_limit=GAS_DEPOSIT if entering else GAS_REDEEM,
            approval=Approval(token=self._token, spender=self._vault, units=units) if entering else None,
            units_out_min=units_out_min,
        )

    async def simulate(self, call: Call, owner: str, block: BlockId = "pending") -> Refused | None:
        """Return why the call would fail now, or bring less than its minimum."""
        function = DEPOSIT if DEPOSIT.is_called_by(call.data) else REDEEM
        return await attempt(self._reads, call, owner, block, function.returned_units)

    def settle(
        self,
        step: Conversion,
        owner: str,
        logs: Sequence[Log],
        *,
        before: Mapping[AssetId, int],
        after: Mapping[AssetId, int],
    ) -> Settled:
        """Return what the Transfer logs of asset and share say; the vault's own events aren't asked."""
        del before, after
        wallet = abi.address(owner)
        shares = net_received(logs, self._vault, wallet)
        assets = net_received(logs, self._token, wallet)
        if step.target == self._share:
            return Settled(given_units=-assets, taken_units=shares)
        return Settled(given_units=-shares, taken_units=assets)

    async def holdings(self, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return the shares of `owner`; the asset is a token others report."""
        return {self._share: await read_units(self._reads, self._vault, BALANCE_OF, owner, block=block)}

    def decode(self, data: bytes, value_wei: int = 0) -> Decoded | Undecodable:
        """Return what the calldata of a deposit or a redemption says."""
        try:
            if DEPOSIT.is_called_by(data):
                units, recipient, payer = *DEPOSIT.arguments(data), None
            else:
                units, recipient, payer = REDEEM.arguments(data)
        except ValueError as problem:
            return Undecodable(detail=f"no call of this house: {problem}")
        if value_wei:
            return Undecodable(detail="a call of a vault with ether sent along")
        assert isinstance(units, int), "an amount is decoded as a number"
        assert isinstance(recipient, str), "a recipient is decoded as an address"
        assert payer is None or isinstance(payer, str), "a payer is decoded as an address"
        entering = payer is None
        return Decoded(
            function=(DEPOSIT if entering else REDEEM).signature,
            source=self._asset if entering else self._share,
            target=self._share if entering else self._asset,
            recipient=recipient,
            payer=payer,
            units_in=units,
            units_out_min=0,
            deadline_s=None,
        )

    async def check_asset(self, block: BlockId) -> None:
        """Assert at start that the vault takes the pinned asset."""
        answer = await self._reads.call(to=self._vault, data=ASSET.encode(), block=block)
        assert not isinstance(answer, Reverted), f"{self._vault} is no ERC-4626 vault"
        assert ASSET.returned(answer) == (self._token,), f"{self._vault} takes another asset than is pinned"

    def _enters(self, step: Conversion, units: int) -> bool | Refused:
        """Say whether a conversion enters the vault (or leaves it), or that it isn't this vault's."""
        if units <= 0:
            return refused(VenueReason.ZERO_AMOUNT, f"{units} units")
        if (step.source, step.target) == (self._asset, self._share):
            return True
        if (step.source, step.target) == (self._share, self._asset):
            return False
        return refused(VenueReason.UNKNOWN_CONVERSION, step.id)
