"""What is to be reached, as data: ratios to what somebody else's guard adds, measured in the same run."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders import OURS, World
from benchmarks.figures import Figures, ratio

__all__ = ["IMPORT_LIMIT", "TARGETS", "Judgement", "Target", "judged"]

IMPORT_LIMIT = 40.0
"""Milliseconds that `import uat_resilience` may take; and it must not import asyncio."""


@dataclass(frozen=True, slots=True)
class Target:
    """A share of a peer's cost that ours must not exceed.

    Attributes:
        row: Key of the row.
        world: Where the calls are made.
        peer: Name of the contender to be compared with.
        reach: The largest ratio of ours to the peer's that is good enough.
        peer_row: Key of the peer's row, when it is another one.
    """

    row: str
    world: World
    peer: str
    reach: float
    peer_row: str | None = None


TARGETS = (
    Target("retry", World.ASYNC, "nopanic", 1.0),
    Target("breaker", World.ASYNC, "circuitbreaker", 0.7),
    Target("windowed", World.ASYNC, "nopanic", 0.65),
    Target("bulkhead", World.ASYNC, "asyncio.Semaphore", 1.0),
    Target("timeout", World.ASYNC, "asyncio.timeout", 0.4),
    Target("timeout-suspending", World.ASYNC, "asyncio.timeout", 0.4),
    Target("three", World.ASYNC, "nopanic", 0.5),
    # Ours with instrumentation, theirs without.
    Target("three-instrumented", World.ASYNC, "nopanic", 1.0, peer_row="three"),
    Target("four", World.ASYNC, "nopanic", 0.35),
    Target("breaker-open", World.ASYNC, "circuitbreaker", 1.0),
    Target("limiter", World.ASYNC, "nopanic", 1.0),
    Target("hedge", World.ASYNC, "nopanic", 0.6),
    Target("retry", World.SYNC, "nopanic", 1.0),
    Target("breaker", World.SYNC, "circuitbreaker", 0.7),
    Target("windowed", World.SYNC, "nopanic", 0.7),
    Target("bulkhead", World.SYNC, "nopanic", 0.5),
    Target("three", World.SYNC, "nopanic", 0.5),
    Target("limiter", World.SYNC, "nopanic", 1.0),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A target beside what was measured, in nanoseconds over bare; None for what was not."""

    target: Target
    ours: float | None
    theirs: float | None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return ratio(self.ours, self.theirs)

    @property
    def reached(self) -> bool | None:
        """True when ours is cheap enough; None when that cannot be said."""
        found = self.ratio
        return None if found is None else found <= self.target.reach


def judged(figures: Figures) -> Iterator[Judgement]:
    """Hold every target against the figures of a run."""
    for target in TARGETS:
        yield Judgement(
            target,
            figures.over(target.row, target.world, OURS),
            figures.over(target.peer_row or target.row, target.world, target.peer),
        )
