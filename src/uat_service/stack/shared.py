"""What the processes of a stack have in common."""

import asyncio
from dataclasses import dataclass

from uat_resilience.clock import Clock
from uat_service.stack.board import Board
from uat_service.stack.journal import Journal
from uat_service.stack.lifeline import Lifeline
from uat_service.stack.probing import Prober
from uat_service.stack.starting import Starting

__all__ = ["Shared"]


@dataclass(frozen=True, slots=True)
class Shared:
    """What the processes of a stack have in common.

    Attributes:
        board: Their states.
        journal: Where they tell what happens.
        start: Starts them.
        lifeline: Ends them with us.
        prober: Asks them whether they are ready.
        clock: Time and chance.
        kill: Set when nobody wants to wait any longer.
        health_interval: Seconds between two looks at one that is ready.
    """

    board: Board
    journal: Journal
    start: Starting
    lifeline: Lifeline
    prober: Prober
    clock: Clock
    kill: asyncio.Event
    health_interval: float
