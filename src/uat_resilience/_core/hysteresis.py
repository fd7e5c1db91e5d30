"""Health: what a row of check results means, and what the checks mean together.

One bad result is a hiccup, and a service that leaves the load balancer for each hiccup flaps. So a status gets
worse only after `fail_after` results in a row that are at least that bad, and better only after `recover_after`
in a row that are at most that bad. The very first result counts at once: a process that has just started
has nothing to be steady about.

    results    H H D U U U H     fail_after=2, recover_after=1
    status     H H H D U U H     two in a row were at least degraded; two were unhealthy; one was healthy

Together the worst check wins, except that one which is not critical makes the whole degraded at worst.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

__all__ = ["HysteresisMachine", "Probe", "Status", "StatusChange", "counted", "overall"]


class Status(IntEnum):
    """How something is doing; the numbers are those shown in JSON and metrics. Greater is worse."""

    HEALTHY = 0
    """All is well."""

    DEGRADED = 1
    """It serves, with something missing or slow."""

    UNHEALTHY = 2
    """It should not be sent work."""


class Probe(Enum):
    """What a check is asked for: the three questions of an orchestrator."""

    LIVENESS = "liveness"
    """Is the process beyond help, so that only a restart is left? Never asks a dependency."""

    READINESS = "readiness"
    """Should it be sent work now?"""

    STARTUP = "startup"
    """Is it done starting?"""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A fact to tell once the lock is free. `old` is None for the first result."""

    old: Status | None
    new: Status


class HysteresisMachine:
    """The status of one check. Not thread-safe: its owner locks.

    Args:
        fail_after: Results in a row, at least 1, before the status gets worse.
        recover_after: Results in a row, at least 1, before it gets better.

    Attributes:
        status: What is told to the world; None before the first result.
    """

    __slots__ = ("_at_least", "_at_most", "_fail_after", "_recover_after", "status")

    def __init__(self, *, fail_after: int, recover_after: int) -> None:
        self._fail_after = fail_after
        self._recover_after = recover_after
        # How many of the latest results in a row were at least, and at most, as bad as each status.
        self._at_least = dict.fromkeys(Status, 0)
        self._at_most = dict.fromkeys(Status, 0)
        self.status: Status | None = None

    def record(self, result: Status) -> StatusChange | None:
        """Take the latest result of the check."""
        for level in Status:
            self._at_least[level] = self._at_least[level] + 1 if result >= level else 0
            self._at_most[level] = self._at_most[level] + 1 if result <= level else 0
        old, new = self.status, self._judged(result)
        self.status = new
        return None if old is new else StatusChange(old, new)

    def _judged(self, result: Status) -> Status:
        status = self.status
        if status is None:
            return result
        if result > status:
            steady = [s for s in Status if s > status and self._at_least[s] >= self._fail_after]
            return max(steady, default=status)
        steady = [s for s in Status if s < status and self._at_most[s] >= self._recover_after]
        return min(steady, default=status)


def counted(status: Status | None, *, kind: Probe, critical: bool) -> Status:
    """Return what the status of one check (None: it never ran) counts for in the whole.

    What never ran is not ready and not started; but nobody is restarted for a check that did not run yet.
    """
    if status is None:
        status = Status.HEALTHY if kind is Probe.LIVENESS else Status.UNHEALTHY
    return status if critical else min(status, Status.DEGRADED)


def overall(statuses: Iterable[Status]) -> Status:
    """Return the worst of what the checks count for; without checks all is well."""
    return max(statuses, default=Status.HEALTHY)
