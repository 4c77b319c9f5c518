"""Aave V3 (3.0.2) as it was published, in the order its own deployment takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from treasury_actors.simulation.rehearsal.contracts import ADDRESS_ZERO
from treasury_actors.simulation.rehearsal.curves import RAY, RateCurve
from treasury_actors.simulation.rehearsal.deploy_chainlink import FEED_DECIMALS
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter, checksummed

VARIABLE_RATE = 2
_FREE_LIBRARIES = (
    *("SupplyLogic", "BorrowLogic", "LiquidationLogic", "EModeLogic"),
    *("BridgeLogic", "PoolLogic", "ConfiguratorLogic"),
)
_WORD, _RESERVES_SLOT = 32, 52
_LTV_BPS, _LIQUIDATION_BPS, _BONUS_BPS = 7_700, 8_000, 10_500
_INIT_RESERVES = (
    "initReserves((address,address,address,uint8,address,address,address,address,"
    "string,string,string,string,string,string,bytes)[])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservePlan:
    """A reserve to be: its token, the feed that prices it, and how its rates follow its utilisation."""

    symbol: str
    token: str
    decimals: int
    feed: str
    curve: RateCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """A reserve: its token, what suppliers hold, what borrowers owe, and its rates."""

    symbol: str
    token: str
    a_token: str
    debt_token: str
    curve: RateCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class AaveV3:
    """Addresses of one deployment; `pool` and `configurator` are the proxies users call."""

    provider: str
    pool: str
    configurator: str
    oracle: str
    data_provider: str
    reserves: tuple[Reserve, ...]

    def reserve(self, symbol: str) -> Reserve:
        """Return one reserve by its token's symbol."""
        return next(reserve for reserve in self.reserves if reserve.symbol == symbol)


async def deploy_aave_v3(writer: BlockWriter, plans: Sequence[ReservePlan]) -> AaveV3:
    """Deploy the market with the reserves planned; the writer's account administers it."""
    libraries = {name: await writer.deploy(name) for name in _FREE_LIBRARIES}
    libraries["FlashLoanLogic"] = await writer.deploy("FlashLoanLogic", libraries=libraries)
    provider = await writer.deploy("PoolAddressesProvider", "rehearsal", writer.account)
    # The ACLManager reads its first admin from the provider while it is made.
    await writer.send(provider, "setACLAdmin(address)", writer.account)
    roles = await writer.deploy("ACLManager", provider)
    await writer.send(provider, "setACLManager(address)", roles)
    await writer.send(roles, "addPoolAdmin(address)", writer.account)
    implementation = await writer.deploy("Pool", provider, libraries=libraries)
    await writer.send(provider, "setPoolImpl(address)", implementation)
    implementation = await writer.deploy("PoolConfigurator", libraries=libraries)
    await writer.send(provider, "setPoolConfiguratorImpl(address)", implementation)
    tokens, feeds = [plan.token for plan in plans], [plan.feed for plan in plans]
    oracle = await writer.deploy(
        "AaveOracle", provider, tokens, feeds, ADDRESS_ZERO, ADDRESS_ZERO, 10**FEED_DECIMALS
    )
    await writer.send(provider, "setPriceOracle(address)", oracle)
    data_provider = await writer.deploy("AaveProtocolDataProvider", provider)
    await writer.send(provider, "setPoolDataProvider(address)", data_provider)
    pool = await writer.address(provider, "getPool()")
    configurator = await writer.address(provider, "getPoolConfigurator()")
    await _init_reserves(writer, plans, provider=provider, pool=pool, configurator=configurator)
    return AaveV3(
        provider=provider,
        pool=pool,
        configurator=configurator,
        oracle=oracle,
        data_provider=data_provider,
        reserves=tuple([await _reserve(writer, data_provider, plan) for plan in plans]),
    )


async def set_liquidity_index(writer: BlockWriter, aave: AaveV3, symbol: str, index_ray: int) -> None:
    """
    Let a reserve that nobody has supplied to begin at an index above one, as one with a past does.

    Aave V3.0 keeps `mapping(address => ReserveData) _reserves` at slot 52 of its pool; the second word of an
    entry has the index in its lower half and the rate, still zero, in its upper.
    """
    from eth_utils.crypto import keccak  # noqa: PLC0415  # an extra: only a chain run has it

    await writer.mine()
    token = bytes.fromhex(aave.reserve(symbol).token[2:]).rjust(_WORD, b"\0")
    entry = int.from_bytes(keccak(token + _RESERVES_SLOT.to_bytes(_WORD, "big")), "big")
    word = "0x" + index_ray.to_bytes(_WORD, "big").hex()
    await writer.ask("anvil_setStorageAt", aave.pool, hex(entry + 1), word)
    seen = await writer.number(aave.pool, "getReserveNormalizedIncome(address)", aave.reserve(symbol).token)
    assert seen == index_ray, f"the index of {symbol} is {seen}, not {index_ray}"


async def _init_reserves(
    writer: BlockWriter, plans: Sequence[ReservePlan], *, provider: str, pool: str, configurator: str
) -> None:
    """Queue what lists the reserves, lets them be collateral and lets them be borrowed."""
    a_token = await writer.deploy("AToken", pool)
    stable = await writer.deploy("StableDebtToken", pool)
    variable = await writer.deploy("VariableDebtToken", pool)
    entries = []
    for plan in plans:
        strategy = await _strategy(writer, provider, plan.curve)
        names = [
            f"{word} {plan.symbol}" if spaced else f"{word}{plan.symbol}"
            for word in ("a", "variableDebt", "stableDebt")
            for spaced in (True, False)
        ]
        # The last member must not be empty, though nothing reads it.
        tokens = (a_token, stable, variable, plan.decimals, strategy, plan.token)
        entries.append((*tokens, writer.account, ADDRESS_ZERO, *names, b"\x10"))
    await writer.send(configurator, _INIT_RESERVES, entries)
    for plan in plans:
        await writer.send(
            configurator,
            "configureReserveAsCollateral(address,uint256,uint256,uint256)",
            *(plan.token, _LTV_BPS, _LIQUIDATION_BPS, _BONUS_BPS),
        )
        await writer.send(configurator, "setReserveBorrowing(address,bool)", plan.token, True)  # noqa: FBT003
        await writer.send(
            configurator, "setReserveFactor(address,uint256)", plan.token, plan.curve.reserve_factor_bps
        )


async def _strategy(writer: BlockWriter, provider: str, curve: RateCurve) -> str:
    """Queue the rate strategy of one curve; stable debt is never taken, so its slopes are zero."""
    variable = (curve.optimal_ray, curve.base_ray, curve.slope1_ray, curve.slope2_ray)
    return await writer.deploy(
        "DefaultReserveInterestRateStrategy", provider, *variable, 0, 0, 0, 0, RAY // 5
    )


async def _reserve(writer: BlockWriter, data_provider: str, plan: ReservePlan) -> Reserve:
    """Return a reserve that was listed."""
    a_token, _, debt_token = await writer.read(
        data_provider, "getReserveTokensAddresses(address)", "(address,address,address)", plan.token
    )
    return Reserve(
        symbol=plan.symbol,
        token=plan.token,
        a_token=checksummed(str(a_token)),
        debt_token=checksummed(str(debt_token)),
        curve=plan.curve,
    )
