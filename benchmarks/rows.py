"""The rows of the tables: what is built, around what body, and how each call ends."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from benchmarks.bodies import BODIES, Body
from benchmarks.contenders import Call, Contender, World
from benchmarks.contenders.contender import HOUR, NEVER

__all__ = ["ROWS", "Ending", "Row"]


class Ending(Enum):
    """How every call of a row ends, and so what it is brought to before it is timed."""

    RETURNS = auto()
    RAISES = auto()
    OPEN = auto()
    FULL = auto()
    SPENT = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        key: What `--only` calls it.
        title: What the tables call it.
        build: Guards a function as one contender does.
        body: What the function does.
        ending: How each call ends.
        runs: How often one call runs the body, at the first call.
    """

    key: str
    title: str
    build: Callable[[Contender, Call], Call]
    body: Body = Body.ANSWERS
    ending: Ending = Ending.RETURNS
    runs: int = 1

    @property
    def refuses(self) -> bool:
        """True when the body is never run."""
        return self.ending in {Ending.OPEN, Ending.FULL, Ending.SPENT}

    @property
    def bare(self) -> Body:
        """The body whose bare call is subtracted: of a refusal, the call that was not made."""
        return Body.ANSWERS if self.refuses else self.body

    def worlds(self, contender: Contender) -> list[World]:
        """Return the worlds where this contender can be in this row."""
        return [
            world for world in World if world in contender.worlds and self.body in BODIES[world]
        ]


ROWS = (
    Row("retry", "retry, first try succeeds", lambda who, fn: who.retry(fn)),
    Row("breaker", "breaker closed, consecutive failures", lambda who, fn: who.breaker(fn)),
    Row("windowed", "breaker closed, failure rate in a window", lambda who, fn: who.windowed(fn)),
    Row("bulkhead", "bulkhead, free slot", lambda who, fn: who.bulkhead(fn)),
    Row("timeout", "timeout not hit", lambda who, fn: who.timeout(fn)),
    Row(
        "timeout-suspending",
        "timeout not hit, body suspends",
        lambda who, fn: who.timeout(fn),
        body=Body.SUSPENDS,
    ),
    Row("three", "retry + breaker + bulkhead", lambda who, fn: who.three(fn)),
    Row(
        "three-by-hand",
        "the three, by hand and not decorated",
        lambda who, fn: who.three_by_hand(fn),
    ),
    Row(
        "three-windowed",
        "the three, breaker with a failure rate",
        lambda who, fn: who.three_windowed(fn),
    ),
    Row(
        "three-instrumented",
        "the three, instrumented for Prometheus",
        lambda who, fn: who.three_instrumented(fn),
    ),
    Row("four", "retry + breaker + bulkhead + timeout", lambda who, fn: who.four(fn)),
    Row(
        "breaker-failure",
        "breaker counts a failure, consecutive",
        lambda who, fn: who.breaker(fn, threshold=NEVER),
        body=Body.FAILS,
        ending=Ending.RAISES,
    ),
    Row(
        "windowed-failure",
        "breaker counts a failure, failure rate",
        lambda who, fn: who.windowed(fn, minimum=NEVER),
        body=Body.FAILS,
        ending=Ending.RAISES,
    ),
    Row(
        "retry-exhausted",
        "retry gives up after three calls, no pauses",
        lambda who, fn: who.retry(fn, pauses=False),
        body=Body.FAILS,
        ending=Ending.RAISES,
        runs=3,
    ),
    Row(
        "breaker-open",
        "breaker open, consecutive failures, refuses",
        lambda who, fn: who.breaker(fn, recovery=HOUR),
        body=Body.FAILS,
        ending=Ending.OPEN,
    ),
    Row(
        "windowed-open",
        "breaker open, failure rate, refuses",
        lambda who, fn: who.windowed(fn, recovery=HOUR),
        body=Body.FAILS,
        ending=Ending.OPEN,
    ),
    Row(
        "bulkhead-full",
        "bulkhead full, refuses",
        lambda who, fn: who.bulkhead(fn, size=1),
        ending=Ending.FULL,
    ),
    Row("limiter", "rate limiter, call granted", lambda who, fn: who.limiter(fn)),
    Row(
        "limiter-spent",
        "rate limiter spent, refuses",
        lambda who, fn: who.limiter(fn, rate=1, per=HOUR),
        ending=Ending.SPENT,
    ),
    Row("hedge", "hedge not fired", lambda who, fn: who.hedge(fn)),
    Row("cached", "single flight with a cache, value kept", lambda who, fn: who.cached(fn)),
)
