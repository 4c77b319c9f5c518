"""
Fault 2 of the brief: more capital handed out than there is.

Conservation is checked at *every* event of a run, by a fold over the journal's JSON that shares no code with
the ledger.
"""

from collections import Counter

import pytest

from tests.acceptance.houses import Bench, Lived, Sums, check_on_bench, live, market, rules_for, usual
from treasury_actors.ids import AgentId, AssetId, EntryId
from treasury_actors.ledger.messages import AccountBalances, EntryPosted, Post, Withdraw
from treasury_actors.ledger.model import Entry, EntryRejected, LedgerReason, available, pool, transfer

ANN = AgentId("ann-0001")
USDC = AssetId("USDC")
POOL = "pool:sim"


@pytest.fixture(scope="module", params=["usual", "poor", "few"])
def lived(request: pytest.FixtureRequest) -> Lived:
    if request.param == "poor":
        return live(market(10), rules_for(arena={"agents": 8, "capital_usd": 8_000, "gas_usd": 5_000}))
    if request.param == "few":
        return live(market(10), rules_for(arena={"agents": 3}))
    return usual()


def test_every_entry_sums_to_zero_in_every_asset(lived: Lived) -> None:
    for row in lived.tape.rows("ledger.entry_posted"):
        sums: Counter[str] = Counter()
        for posting in row.body["postings"]:
            sums[posting["asset"]] += int(posting["units"])
        assert not any(sums.values()), row


def test_no_account_of_the_treasury_is_ever_negative(lived: Lived) -> None:
    sums = Sums()
    for row in lived.tape.rows("ledger.entry_posted"):
        sums.add(row.body)
        for posting in row.body["postings"]:
            account = posting["account"]
            if not account.startswith(("venue:", "external:")):
                assert sums.units[account, posting["asset"]] >= 0, row


def test_at_every_event_the_treasury_owns_what_was_deposited_and_what_fills_brought(lived: Lived) -> None:
    """Fills and deposits are told by other events than balances are, so both would have to be wrong alike."""
    sums, owed = Sums(), Counter[str]()
    settling = 0
    for row in lived.tape.rows():
        match row.type:
            case "ledger.entry_posted":
                sums.add(row.body)
                settling += row.body["kind"] == "settle"
                if row.body["kind"] == "deposit":
                    (into,) = [p for p in row.body["postings"] if not p["account"].startswith("external:")]
                    owed[into["asset"]] += int(into["units"])
            case "trading.order_filled":
                settling -= 1
                owed[row.body["source"]] -= int(row.body["given_units"])
                owed[row.body["target"]] += int(row.body["taken_units"])
                owed["ETH"] -= int(row.body["gas_wei"])
            case _:
                pass
        assert settling in {0, 1}, "a settlement and its fill stand side by side"
        if not settling:
            assert sums.inside() == {asset: units for asset, units in owed.items() if units}, row


def test_agents_pool_and_treasury_accounts_are_all_there_is(lived: Lived) -> None:
    sums = Sums()
    for row in lived.tape.rows("ledger.entry_posted"):
        sums.add(row.body)
    places = {account.split(":")[0] for (account, _), units in sums.units.items() if units}
    inside: Counter[str] = Counter()
    for prefix in ("agent:", "pool:", "treasury:"):
        inside.update(sums.under(prefix))

    assert places <= {"agent", "pool", "treasury", "venue", "external"}
    assert dict(inside) == sums.inside()


def test_a_round_pays_out_no_more_than_the_pool_holds_beyond_its_reserve(lived: Lived) -> None:
    sums, paid, rounds = Sums(), 0, 0
    for row in lived.tape.rows("ledger.entry_posted", "arena.fitness_recorded", "arena.round_held"):
        match row.type:
            case "arena.fitness_recorded":
                paid = 0
            case "ledger.entry_posted":
                sums.add(row.body)
                if row.body["kind"] == "allot":
                    paid += int(row.body["postings"][1]["units"])
            case _:
                rounds += 1
                left = sums.units[POOL, "USDC"]
                assert int(row.body["paid_units"]) == paid
                assert paid == 0 or left >= int(row.body["reserve_units"])
                assert left + paid <= int(row.body["total_units"])

    assert rounds >= 1


def test_a_round_names_what_it_did_not_pay() -> None:
    refused = usual().tape.of("arena.capital_refused")

    assert refused, "in 45 days somebody asks for more than is home"
    for row in refused:
        wanted, free = int(row.body["wanted_units"]), int(row.body["free_units"])
        assert row.body["reason"] in {"exceeds_pool", "below_mandate_minimum"}
        assert (row.body["reason"] == "exceeds_pool") == (wanted > free)


async def _allot_too_much(bench: Bench) -> None:
    has = (await bench.ledger.ask(AccountBalances(account=pool("sim")), timeout_s=1))[USDC]
    postings = transfer(pool("sim"), available(ANN), USDC, has + 1)
    entry = Entry(entry_id=EntryId("too much"), kind="allot", postings=postings)
    before = bench.journal.head
    reply = await bench.ledger.ask(Post(entry=entry), timeout_s=1)

    assert isinstance(reply, EntryRejected)
    assert reply.reason is LedgerReason.INSUFFICIENT_UNITS
    assert "pool:sim would hold -1 USDC" in reply.detail
    assert bench.journal.head == before, "nothing was posted"


def test_asking_for_one_unit_more_than_the_pool_holds_is_rejected_by_name() -> None:
    check_on_bench(_allot_too_much)


async def _allot_twice(bench: Bench) -> None:
    has = (await bench.ledger.ask(AccountBalances(account=pool("sim")), timeout_s=1))[USDC]
    postings = transfer(pool("sim"), available(ANN), USDC, has)
    first = Post(entry=Entry(entry_id=EntryId("a"), kind="allot", postings=postings))
    second = Post(entry=Entry(entry_id=EntryId("b"), kind="allot", postings=postings))

    assert isinstance(await bench.ledger.ask(first, timeout_s=1), EntryPosted)
    assert isinstance(await bench.ledger.ask(first, timeout_s=1), EntryPosted), "the same wish again"
    reply = await bench.ledger.ask(second, timeout_s=1)
    assert isinstance(reply, EntryRejected)
    assert reply.reason is LedgerReason.INSUFFICIENT_UNITS


def test_the_same_capital_can_not_be_allotted_twice() -> None:
    check_on_bench(_allot_twice)


async def _withdraw_too_much(bench: Bench) -> None:
    has = (await bench.ledger.ask(AccountBalances(account=pool("sim")), timeout_s=1))[USDC]
    for units, reason in (
        (has + 1, LedgerReason.INSUFFICIENT_UNITS),
        (0, LedgerReason.NOT_POSITIVE),
        (-5, LedgerReason.NOT_POSITIVE),
    ):
        message = Withdraw(
            entry_id=EntryId(f"w{units}"), account=pool("sim"), asset=USDC, units=units, reason="test"
        )
        reply = await bench.ledger.ask(message, timeout_s=1)
        assert isinstance(reply, EntryRejected)
        assert reply.reason is reason


def test_more_than_there_is_can_not_be_withdrawn() -> None:
    check_on_bench(_withdraw_too_much)
