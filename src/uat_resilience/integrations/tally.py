"""What metrics are made of: counts and durations by policy, kept as plain numbers until somebody asks.

Every call through every policy passes here, so it takes one short lock and builds nothing. The lock is never
waited for: when it is held, by another thread or by this one further down its stack, what is to be counted is
left as a note for its holder (see `policies.mailbox`). So nothing is lost, and nothing can lock itself out.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from logging import getLogger

from uat_resilience._core.arguments import at_least, seconds
from uat_resilience.integrations.lines import spelled
from uat_resilience.policies.forking import renew_after_fork
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.telemetry import (
    BreakerStateChanged,
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
    Event,
    EventBus,
)
from uat_resilience.telemetry.listeners import End

__all__ = ["DURATIONS", "OTHER", "OUTCOMES", "Calls", "Count", "Tally", "count_events"]

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds, as OpenTelemetry recommends them for durations."""

OTHER = "other"
"""The name that stands for all policies above the limit on names."""

OUTCOMES: dict[End, str] = {
    CallSucceeded: "success",
    CallFailed: "failure",
    CallAbandoned: "abandoned",
}
"""How the ends of calls are spelled in labels; a refusal is no end, and spelled `refused`."""

Count = tuple[str, str, str]
"""What is counted: a metric, the name of a policy, and the value of one more label or an empty string."""


@dataclass(slots=True)
class Calls:
    """The calls through one policy that have ended.

    Attributes:
        seconds: How long they took in all.
        buckets: How many fell between which bounds, by how they ended; the last is above all bounds.
    """

    seconds: float
    buckets: dict[End, list[int]]


class Tally:
    """Count, from any thread, and show the counts.

    Args:
        bounds: Upper bounds of the durations in seconds, each above 0 and above the one before.
        names: Names of policies kept apart at most; further ones are counted together as `OTHER`, and the first is
            logged. Policies made per key could otherwise fill the memory of whoever stores the metrics.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(self, bounds: Sequence[float] = DURATIONS, *, names: int = 1000) -> None:
        self.bounds = tuple(seconds("buckets", bound) for bound in bounds)
        if any(upper <= lower for lower, upper in pairwise(self.bounds)):
            raise ValueError(f"buckets must rise, not {self.bounds!r}")
        self._limit = at_least("names", names, 1)
        self._names: set[str] = set()
        self._calls: dict[str, Calls] = {}
        self._counts: dict[Count, int] = defaultdict(int)
        self._overflowed = False
        self._mailbox: Mailbox[Callable[[], str | None], str] = Mailbox(_carry_out, _warn)
        renew_after_fork(self)

    def end(self, kind: End, policy: str, elapsed: float) -> None:
        """Count the end of a call."""
        mailbox = self._mailbox
        lock = mailbox.lock
        calls = self._calls.get(policy)
        if calls is None or mailbox.notes or not lock.acquire(False):  # noqa: FBT003 - by keyword it takes twice as long
            mailbox.post(partial(self._end, kind, policy, elapsed))
            return
        # What `_end` does, for a name that is known.
        try:
            calls.seconds += elapsed
            calls.buckets[kind][bisect_left(self.bounds, elapsed)] += 1
        finally:
            lock.release()
        if mailbox.notes:
            mailbox.sweep()

    def count(self, metric: str, policy: str, label: str = "") -> None:
        """Count one of anything else."""
        self._mailbox.post(partial(self._count, metric, policy, label))

    def read(self) -> tuple[dict[str, Calls], dict[Count, int]]:
        """Return copies of what has been counted so far."""
        with self._mailbox.lock:
            calls = {
                policy: Calls(each.seconds, {kind: [*row] for kind, row in each.buckets.items()})
                for policy, each in self._calls.items()
            }
            counts = dict(self._counts)
        self._mailbox.sweep()
        return calls, counts

    def renew(self) -> None:
        """In a forked child: a free lock, and nothing counted; the parent shows what was."""
        self._mailbox.renew()
        self._names.clear()
        self._calls.clear()
        self._counts.clear()

    def _end(self, kind: End, policy: str, elapsed: float) -> str | None:
        name, refused = self._known(policy)
        calls = self._calls.get(name)
        if calls is None:
            rows = {kind: [0] * (len(self.bounds) + 1) for kind in OUTCOMES}
            calls = self._calls[name] = Calls(0.0, rows)
        calls.seconds += elapsed
        calls.buckets[kind][bisect_left(self.bounds, elapsed)] += 1
        return refused

    def _count(self, metric: str, policy: str, label: str) -> str | None:
        name, refused = self._known(policy)
        self._counts[metric, name, label] += 1
        return refused

    def _known(self, policy: str) -> tuple[str, str | None]:
        """Return the name to count under, and the given one when it is the first that is not kept."""
        if policy in self._names:
            return policy, None
        if len(self._names) < self._limit:
            self._names.add(policy)
            return policy, None
        first, self._overflowed = not self._overflowed, True
        return OTHER, policy if first else None


def count_events(
    bus: EventBus, tally: Tally, metrics: Mapping[type[Event], str]
) -> Iterator[Callable[[], None]]:
    """Count events under the metric of their type; return what ends that.

    The label of a refusal is `refused`, that of a breaker's change the state it went to; others have none.
    """
    for kind, metric in metrics.items():
        yield bus.subscribe(partial(_count_event, tally, metric), kind)


def _count_event(tally: Tally, metric: str, event: Event) -> None:
    label = ""
    if isinstance(event, CallRefused):
        label = "refused"
    elif isinstance(event, BreakerStateChanged):
        label = spelled(event.new)
    tally.count(metric, event.policy, label)


def _carry_out(note: Callable[[], str | None]) -> str | None:
    return note()


def _warn(policy: str) -> None:
    getLogger("uat_resilience").warning(
        "too many policy names for metrics: %r and all further ones are counted as %r",
        policy,
        OTHER,
    )
