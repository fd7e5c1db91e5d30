"""A contender: one way to protect a call, and the settings that every contender is given."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar

__all__ = ["HOUR", "NEVER", "Call", "Contender", "NotOffered", "World", "by_hand"]

Call = Callable[[int], Any]
"""What is guarded: a function of one order number that returns it, or a coroutine function of it."""

NEVER = 10**9
"""A threshold that no run reaches."""

HOUR = 3600.0
"""Longer than any run: a breaker that has opened stays open."""


class World(StrEnum):
    """Where a call is made."""

    SYNC = "sync"
    ASYNC = "async"


class NotOffered(Exception):  # noqa: N818 - an answer, not an accident
    """The contender has no such pattern."""


class Contender:
    """Builders that guard a function, each as the contender's own documentation shows it.

    What is set is set alike for all: three attempts on `ConnectionError`, five consecutive failures, half
    of the calls failing, 100 slots, 10 seconds. All else is the contender's default. What a contender
    leaves out of the builders below, it does not offer.

    Attributes:
        name: What the tables call it.
        module: What a user imports.
        distribution: What a user installs; empty for the standard library.
        worlds: Where it works.
        note: What a reader of the tables must know about it.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    distribution: ClassVar[str]
    worlds: ClassVar[frozenset[World]] = frozenset(World)
    note: ClassVar[str] = ""

    def retry(self, call: Call, *, pauses: bool = True) -> Call:
        """Make up to three calls; without `pauses` the next one follows at once."""
        raise NotOffered

    def breaker(self, call: Call, *, threshold: int = 5, recovery: float = 30.0) -> Call:
        """Open after `threshold` consecutive failures, for `recovery` seconds."""
        raise NotOffered

    def windowed(self, call: Call, *, minimum: int = 10, recovery: float = 30.0) -> Call:
        """Open when half of the calls in a window fail, once there were `minimum`."""
        raise NotOffered

    def bulkhead(self, call: Call, *, size: int = 100) -> Call:
        """Let `size` calls run at once and refuse the next one at once."""
        raise NotOffered

    def timeout(self, call: Call) -> Call:
        """End a call that takes longer than ten seconds."""
        raise NotOffered

    def three(self, call: Call) -> Call:
        """Retry, inside it a breaker, inside it a bulkhead."""
        raise NotOffered

    def three_by_hand(self, call: Call) -> Call:
        """Build `three`, and run an undecorated function through it at each call."""
        raise NotOffered

    def three_windowed(self, call: Call) -> Call:
        """Build the same with a breaker that judges a failure rate."""
        raise NotOffered

    def three_instrumented(self, call: Call) -> Call:
        """Build `three` with its own Prometheus integration switched on."""
        raise NotOffered

    def four(self, call: Call) -> Call:
        """Build `three` with a timeout inside it."""
        raise NotOffered

    def limiter(self, call: Call, *, rate: int = NEVER, per: float = 1.0) -> Call:
        """Let `rate` calls begin in `per` seconds, as many at once after a rest; refuse the next one."""
        raise NotOffered

    def hedge(self, call: Call) -> Call:
        """Start a second copy of a call that takes longer than ten seconds."""
        raise NotOffered

    def cached(self, call: Call) -> Call:
        """Make one call at a time for each order, and keep its value for an hour."""
        raise NotOffered

    def counting(self, call: Call) -> tuple[Call, Callable[[], int]]:
        """Build a breaker that does not open, and what reads how many failures it has counted."""
        raise NotOffered


def by_hand(call: Call, run: Callable[..., Any], arun: Callable[..., Any]) -> Call:
    """Return what hands a function over at each call, to `arun` when it is async."""
    return partial(arun if iscoroutinefunction(call) else run, call)
