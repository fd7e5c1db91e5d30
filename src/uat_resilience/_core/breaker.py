"""The circuit breaker as a state machine: no clock, no lock, nobody told.

Theory of operation
-------------------
A breaker lives in *eras*. An era is immutable: a state, a generation, the times it holds between, and the
judge that counts its calls. Every admitted call takes a ticket home and hands it back with its outcome:

*   In a closed era the ticket is the era itself. While the judge is quiet (a success would change
    nothing) a caller may skip handing it back, which is what makes the healthy path free of locks.
*   In a half-open era the ticket is a `Probe`. At most `probes` run at once, each under a lease. A probe
    that outlives its lease no longer blocks the next one, and its late outcome is ignored.

A ticket of any other era is void: a late result says nothing about the present. That is the whole rule, and
it holds by identity (`ticket is self.era`, `probe in self._running`), so there is no counter to compare.

Nothing happens by itself. OPEN is left at the first `admit` at or after `until`; there is no timer.

    state         move            next          when
    CLOSED        TRIP            OPEN          the judge says so after a recorded call
    OPEN          ELAPSE          HALF_OPEN     a call arrives after the recovery time
    HALF_OPEN     RECOVER         CLOSED        `close_after` probes succeeded
    HALF_OPEN     RELAPSE         OPEN          a probe failed, or was slow under a slow-call rule
    any           FORCE_OPEN      FORCED_OPEN   an operator says so
    any           FORCE_CLOSED    FORCED_CLOSED an operator says so
    any           RESET           CLOSED        an operator says so; counts start again

Abandoned calls (cancelled, ignored, refused further in) move nothing: a probe gives its place back.

A clock that is replaced by one with an earlier epoch (a test's fake clock, say) ends an opening and a
lease: an era lasts while `since <= now < until`, and is over outside of that on either side.
"""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto
from math import inf

from uat_resilience._core.trip import Judge, TripRule

__all__ = [
    "TRANSITIONS",
    "BreakerMachine",
    "BreakerState",
    "Era",
    "Move",
    "Probe",
    "Refusal",
    "Ticket",
    "Transition",
]


class BreakerState(IntEnum):
    """Where a breaker stands; the numbers are those shown in JSON and metrics."""

    CLOSED = 0
    """Calls pass and are judged."""

    HALF_OPEN = 1
    """A few probes pass; the rest are refused."""

    OPEN = 2
    """Calls are refused until the recovery time is over."""

    FORCED_OPEN = 3
    """Calls are refused until somebody resets the breaker."""

    FORCED_CLOSED = 4
    """Calls pass and are not judged until somebody resets the breaker."""


class Move(Enum):
    """What can happen to a breaker."""

    TRIP = auto()
    ELAPSE = auto()
    RECOVER = auto()
    RELAPSE = auto()
    FORCE_OPEN = auto()
    FORCE_CLOSED = auto()
    RESET = auto()


TRANSITIONS: dict[tuple[BreakerState, Move], BreakerState] = {
    (BreakerState.CLOSED, Move.TRIP): BreakerState.OPEN,
    (BreakerState.OPEN, Move.ELAPSE): BreakerState.HALF_OPEN,
    (BreakerState.HALF_OPEN, Move.RECOVER): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, Move.RELAPSE): BreakerState.OPEN,
    **{(state, Move.FORCE_OPEN): BreakerState.FORCED_OPEN for state in BreakerState},
    **{(state, Move.FORCE_CLOSED): BreakerState.FORCED_CLOSED for state in BreakerState},
    **{(state, Move.RESET): BreakerState.CLOSED for state in BreakerState},
}

_PASSING = frozenset({BreakerState.CLOSED, BreakerState.FORCED_CLOSED})


@dataclass(frozen=True, slots=True, eq=False)
class Era:
    """One stretch of time in one state. Immutable, so it can be read without a lock."""

    state: BreakerState
    generation: int
    judge: Judge
    since: float
    until: float
    admits: bool
    """True when every call passes."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """The place of one call in a half-open era, and until when it is held for it."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that must not be made. `retry_after` is above 0, or None when no time helps."""

    state: BreakerState
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A fact to tell once the lock is free."""

    old: BreakerState
    new: BreakerState
    at: float
    generation: int
    times_opened: int


Ticket = Era | Probe
"""What an admitted call hands back with its outcome."""


class BreakerMachine:
    """Decide who may call, and what the outcomes mean. Not thread-safe: its owner locks.

    Reading `era` needs no lock: it is replaced whole, never changed.
    """

    __slots__ = (
        "_close_after",
        "_lease",
        "_open_for",
        "_probes",
        "_running",
        "_successes",
        "_trip",
        "era",
        "times_opened",
    )

    def __init__(
        self,
        trip: TripRule,
        *,
        open_for: float,
        probes: int,
        close_after: int,
        lease: float | None,
    ) -> None:
        self._trip = trip
        self._open_for = open_for
        self._probes = probes
        self._close_after = close_after
        self._lease = lease
        self._running: dict[Probe, None] = {}
        self._successes = 0
        self.times_opened = 0
        self.era = Era(BreakerState.CLOSED, 0, trip.judge(), -inf, inf, admits=True)

    @property
    def probing(self) -> int:
        """Probes that run now."""
        return len(self._running)

    def admit(self, now: float) -> tuple[Ticket | Refusal, Transition | None]:
        """Let a call in or refuse it; the second part tells of an opening that is over."""
        era = self.era
        if era.admits:
            return era, None
        if era.state is BreakerState.FORCED_OPEN:
            return Refusal(era.state, None), None
        if era.state is BreakerState.HALF_OPEN:
            return self._admit_probe(now), None
        if era.since <= now < era.until:
            return Refusal(era.state, era.until - now), None
        moved = self._move(Move.ELAPSE, now)
        return self._admit_probe(now), moved

    def record(
        self, ticket: Ticket, failed: int, elapsed: float, now: float
    ) -> Transition | None:
        """Take an outcome; `failed` is 0 or 1, `elapsed` is seconds (0 when the rule times nothing)."""
        if isinstance(ticket, Probe):
            return self._settle(ticket, failed=bool(failed) or self._is_slow(elapsed), now=now)
        era = self.era
        if ticket is not era or era.state is not BreakerState.CLOSED:
            return None
        if era.judge.record(now, failed, elapsed):
            return self._move(Move.TRIP, now)
        return None

    def abandon(self, ticket: Ticket) -> None:
        """Take a ticket back whose call says nothing about the dependency."""
        if isinstance(ticket, Probe):
            self._running.pop(ticket, None)

    def force(self, move: Move, now: float) -> Transition | None:
        """Carry out an operator's `FORCE_OPEN`, `FORCE_CLOSED` or `RESET`; None when the state stays."""
        if move is Move.RESET:
            self.times_opened = 0
        moved = self._move(move, now)
        return moved if moved.new is not moved.old else None

    def amend(self, generation: int, open_for: float) -> None:
        """Set how long the opening of this generation lasts; void when it is already over."""
        era = self.era
        if era.state is BreakerState.OPEN and era.generation == generation:
            self._open_for = open_for
            self.era = replace(era, until=era.since + open_for)

    def retry_after(self, now: float) -> float | None:
        """Return seconds until a call could pass: above 0, or None when one passes now or no time helps."""
        era = self.era
        if era.state is BreakerState.OPEN and era.since <= now < era.until:
            return era.until - now
        if era.state is BreakerState.HALF_OPEN and self._full(now):
            return self._first_lease_end() - now
        return None

    def release_probes(self) -> None:
        """Forget running probes: in a forked child nobody is left to settle them."""
        self._running.clear()

    def _admit_probe(self, now: float) -> Probe | Refusal:
        if self._full(now):
            return Refusal(BreakerState.HALF_OPEN, self._first_lease_end() - now)
        probe = Probe(now, now + (self._open_for if self._lease is None else self._lease))
        self._running[probe] = None
        return probe

    def _full(self, now: float) -> bool:
        for probe in [p for p in self._running if not p.since <= now < p.until]:
            del self._running[probe]
        return len(self._running) >= self._probes

    def _first_lease_end(self) -> float:
        return min(probe.until for probe in self._running)

    def _settle(self, probe: Probe, *, failed: bool, now: float) -> Transition | None:
        if probe not in self._running:
            return None  # Its lease was over, or its era is.
        del self._running[probe]
        if failed:
            return self._move(Move.RELAPSE, now)
        self._successes += 1
        if self._successes >= self._close_after:
            self.times_opened = 0
            return self._move(Move.RECOVER, now)
        return None

    def _is_slow(self, elapsed: float) -> bool:
        limit = self._trip.slower_than
        return limit is not None and elapsed >= limit

    def _move(self, move: Move, now: float) -> Transition:
        old = self.era
        new = TRANSITIONS[old.state, move]
        # The judge that tripped stays readable until calls are judged afresh.
        passing = new in _PASSING
        judge = self._trip.judge() if passing else old.judge
        until = inf
        if new is BreakerState.OPEN:
            self.times_opened += 1
            until = now + self._open_for
        self._running.clear()
        self._successes = 0
        self.era = Era(new, old.generation + 1, judge, now, until, passing)
        return Transition(old.state, new, now, old.generation + 1, self.times_opened)
