"""
Two actors: a till that counts coins, and a customer who pays until the till breaks.

Run `python -m examples.01_two_actors`: it shows tell, ask, a crash that stays where it happened, a restart.
"""

from dataclasses import dataclass

import anyio

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.clock import WallClock
from treasury_actors.errors import ActorCrashed
from treasury_actors.message import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """Put coins into the till; nobody waits for it."""

    coins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Ask[int]):
    """How many coins are there? Answered with an int."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoShopping(Ask[str]):
    """Spend what you have; answered with how it went."""


class Till(Actor[Pay | Total]):
    """Counts coins. It dies of a negative payment, and the next till starts from nothing."""

    def __init__(self) -> None:
        self.coins = 0

    async def receive(self, message: Pay | Total) -> object:
        """Take a payment, or say what is there."""
        match message:
            case Pay(coins=coins):
                assert coins > 0, "a till takes coins, it gives none"
                self.coins += coins
                return None
            case Total():
                return self.coins


class Customer(Actor[GoShopping]):
    """Knows the till by its ref alone, which stays good when the till is restarted."""

    def __init__(self, till: Ref[Pay | Total]) -> None:
        self.till = till

    async def receive(self, message: GoShopping) -> str:
        """Pay, look, try to cheat, look again."""
        del message
        self.till.tell(Pay(coins=3))
        self.till.tell(Pay(coins=4))
        before = await self.till.ask(Total(), timeout_s=1.0)
        self.till.tell(Pay(coins=-7))
        try:
            await self.till.ask(Total(), timeout_s=1.0)
        except ActorCrashed as crash:
            print(f"customer: told at once: {crash}")
        after = await self.till.ask(Total(), timeout_s=1.0)
        return f"{before} coins before the crash, {after} in the new till"


async def main() -> None:
    """Start both under one supervisor, which prints what happens."""
    async with Supervisor(policy=SupervisionPolicy(), clock=WallClock(), on_event=print) as supervisor:
        till = supervisor.start_child(ChildSpec(name="till", make=Till, accepts=(Pay, Total)))
        customer = supervisor.start_child(
            ChildSpec(name="customer", make=lambda: Customer(till), accepts=(GoShopping,))
        )
        print(await customer.ask(GoShopping(), timeout_s=5.0))


if __name__ == "__main__":
    anyio.run(main)
