"""The functions that are guarded, once for each world."""

from asyncio import sleep
from enum import Enum, auto

from benchmarks.contenders import Call, World

__all__ = ["BODIES", "Body"]


class Body(Enum):
    """What a guarded function does."""

    ANSWERS = auto()
    SUSPENDS = auto()
    FAILS = auto()


def answer(order: int) -> int:
    """Return at once."""
    return order


def fail(order: int) -> int:
    """Raise what every retry here is told to retry."""
    raise ConnectionError(order)


async def aanswer(order: int) -> int:
    """Return without letting go of the event loop."""
    return order


async def asuspend(order: int) -> int:
    """Let the event loop go round once, as a call over a network would."""
    await sleep(0)
    return order


async def afail(order: int) -> int:
    """Raise what every retry here is told to retry."""
    raise ConnectionError(order)


BODIES: dict[World, dict[Body, Call]] = {
    World.SYNC: {Body.ANSWERS: answer, Body.FAILS: fail},
    World.ASYNC: {Body.ANSWERS: aanswer, Body.SUSPENDS: asuspend, Body.FAILS: afail},
}
