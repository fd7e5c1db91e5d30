"""What one process of a stack is doing."""

from dataclasses import dataclass
from enum import Enum

__all__ = ["SETTLED", "State", "Status"]


class State(Enum):
    """What a process of the stack is doing."""

    WAITING = "waiting"
    """For what it needs."""
    STARTING = "starting"
    """Its process is being made, or runs and does not say that it is ready."""
    RUNNING = "running"
    """It is ready."""
    UNHEALTHY = "unhealthy"
    """It was ready, and does not say so any more."""
    DRAINING = "draining"
    """It was told to stop, and finishes what it has begun."""
    BACKOFF = "backoff"
    """It ended and will be started again after a pause."""
    CRASH_LOOP = "crash-loop"
    """It ended again and again, soon after each start. Still tried, after long pauses."""
    FAILED = "failed"
    """It cannot start as it is. Not tried again until somebody asks, or saves a file."""
    FINISHED = "finished"
    """It did what it had to do."""
    STOPPED = "stopped"
    """It was stopped."""


SETTLED = frozenset({State.FAILED, State.FINISHED, State.STOPPED})
"""States that nothing but somebody from outside ends."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about one process.

    Attributes:
        instance: Its name.
        service: The service it belongs to.
        state: What it is doing.
        detail: Why, in a few words.
        pid: Its process id, while it runs.
        since: When it was started, on the clock of the loop; None when it does not run.
        restarts: How often it was started again.
    """

    instance: str
    service: str
    state: State
    detail: str = ""
    pid: int | None = None
    since: float | None = None
    restarts: int = 0
