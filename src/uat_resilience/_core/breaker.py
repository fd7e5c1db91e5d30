"""The circuit breaker as a state machine: no clock, no lock, nobody told.

Theory of operation
-------------------
A breaker lives in *eras*. An era is immutable: a state, a generation, the times it holds between, and the
judge that counts its calls. Every admitted call takes a ticket home and hands it back with its outcome:

*   In a closed era the ticket is the era itself. While the judge is quiet (a success would change
    nothing) a caller may skip handing it back, which is what makes the healthy path free of locks.
*   In a half-open era the ticket is a `Probe`. At most `probes` hold a place at once, each under a lease. A
    probe that outlives its lease no longer blocks the next one. Should it end after all while the era
    lasts, its outcome counts: where every call takes longer than the lease, nothing else ever would.

A ticket of any other era is void: a late result says nothing about the present. That is the whole rule, and
it holds by identity (`ticket is self.era`, `probe in self._running`), so there is no counter to compare.

Nothing happens by itself. OPEN is left at the first `admit` at or after `until`; there is no timer. What leads
from one state to the next is in `transitions`.

With a ramp, the era after a recovery lets only a growing share of calls in at first. It is closed like any
other, and its calls are judged; it only does not admit everybody yet. At `until` the same era goes on without
a ramp: tickets of its first part are void from then on, which costs the counts of a few calls.

Abandoned calls (cancelled, ignored, refused further in) move nothing: a probe gives its place back.

Settings may be replaced at any time. The era, its generation and its probes stay; an opening and a lease that run
end when they were to. A trip rule that counts like the one before keeps the counts (see `judges`). Another starts
to count in an era of the same generation, and tickets of calls that run are void, as at the end of a ramp.

An opening and a lease last while `since <= now < until`, and are over outside of that on either side: a clock
that is replaced by one with an earlier epoch ends them. A thread that read the clock just before they
began does not (see `straggling`).
"""

from dataclasses import replace
from math import inf

from uat_resilience._core.era import BreakerState, Era, Probe, Refusal, Ticket, Transition
from uat_resilience._core.judges import adopted
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.straggling import STRAGGLING
from uat_resilience._core.transitions import PASSING, TRANSITIONS, Move
from uat_resilience._core.trip import TripRule

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


_CLOSED = BreakerState.CLOSED  # Looking a member up on its class takes as long as a call.
_JUDGING = frozenset({BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN})


class BreakerMachine:
    """Decide who may call, and what the outcomes mean. Not thread-safe: its owner locks.

    Reading `era` needs no lock: it is replaced whole, never changed. Settings may be set at any time; the trip
    rule is replaced by `retrip`, and the ramp stays.
    """

    __slots__ = (
        "_places",
        "_ramp",
        "_running",
        "_successes",
        "close_after",
        "era",
        "lease",
        "open_for",
        "probes",
        "times_opened",
        "trip",
    )

    def __init__(
        self,
        trip: TripRule,
        *,
        open_for: float,
        probes: int,
        close_after: int,
        lease: float | None,
        ramp: Ramp | None = None,
    ) -> None:
        self.trip = trip
        self.open_for = open_for
        self.probes = probes
        self.close_after = close_after
        self.lease = lease
        self._ramp = ramp
        self._running: set[Probe] = set()
        self._places: set[Probe] = set()  # Those that run under a lease; the others are overdue.
        self._successes = 0
        self.times_opened = 0
        self.era = Era(BreakerState.CLOSED, 0, trip.judge(), -inf, inf, admits=True)

    @property
    def probing(self) -> int:
        """Probes that run now, overdue ones included."""
        return len(self._running)

    def admit(self, now: float, draw: float = 0.0) -> tuple[Ticket | Refusal, Transition | None]:
        """Let a call in or refuse it; the second part tells of an opening that is over.

        Args:
            now: The time.
            draw: A uniform number from [0, 1), which decides while admission is ramped.
        """
        era = self.era
        if era.admits:
            return era, None
        refusal = era.refusal(now)
        if refusal is not None:
            return refusal, None
        if era.state is BreakerState.HALF_OPEN:
            return self._admit_probe(now), None
        if era.state is _CLOSED:
            return self._admit_ramped(era, now, draw), None
        moved = self._move(Move.ELAPSE, now)
        return self._admit_probe(now), moved

    def record(self, ticket: Ticket, failed: int, elapsed: float, now: float) -> Transition | None:
        """Take an outcome; `failed` is 0 or 1, `elapsed` is seconds (0 when the rule times nothing)."""
        era = self.era
        if ticket is era:
            if era.state is _CLOSED and era.judge.record(now, failed, elapsed):
                return self._move(Move.TRIP, now)
            return None
        if isinstance(ticket, Probe):
            return self._settle(ticket, failed=bool(failed) or self._is_slow(elapsed), now=now)
        return None

    def abandon(self, ticket: Ticket) -> None:
        """Take a ticket back whose call says nothing about the dependency."""
        if isinstance(ticket, Probe):
            self._running.discard(ticket)
            self._places.discard(ticket)

    def force(self, move: Move, now: float) -> Transition | None:
        """Carry out an operator's `FORCE_OPEN`, `FORCE_CLOSED` or `RESET`; None when the state stays."""
        if move is Move.RESET:
            self.times_opened = 0
        moved = self._move(move, now)
        return moved if moved.new is not moved.old else None

    def follow(self, now: float, seconds: float) -> Transition | None:
        """Be open for `seconds` because somebody else found out; None when the state stays, or is forced."""
        state = self.era.state
        if state not in _JUDGING:
            return None
        moved = None
        if state is not BreakerState.OPEN:
            moved = self._move(Move.TRIP if state is _CLOSED else Move.RELAPSE, now)
        self.era = replace(self.era, until=now + seconds)
        return moved

    def amend(self, generation: int, open_for: float) -> None:
        """Set how long the opening of this generation lasts; void when it is already over."""
        era = self.era
        if era.state is BreakerState.OPEN and era.generation == generation:
            self.open_for = open_for
            self.era = replace(era, until=era.since + open_for)

    def retrip(self, trip: TripRule) -> None:
        """Judge calls by another rule from now on."""
        self.trip, era, judge = trip, self.era, trip.judge()
        # The judge that tripped stays readable until calls are judged afresh, by the new rule.
        if era.state in PASSING and not adopted(era.judge, judge):
            self.era = replace(era, judge=judge)

    def retry_after(self, now: float) -> float | None:
        """Return seconds until a call could pass: above 0, or None when one passes now or no time helps."""
        refusal = self.era.refusal(now)
        if refusal is None and self._full(now):
            refusal = self._wait_for_place(now)
        return None if refusal is None else refusal.retry_after

    def release_probes(self) -> None:
        """Forget running probes: their era is over, or in a forked child nobody is left to settle them."""
        self._running.clear()
        self._places.clear()

    def _admit_probe(self, now: float) -> Probe | Refusal:
        if self._full(now):
            return self._wait_for_place(now)
        probe = Probe(now, now + (self.open_for if self.lease is None else self.lease))
        self._running.add(probe)
        self._places.add(probe)
        return probe

    def _admit_ramped(self, era: Era, now: float, draw: float) -> Era | Refusal:
        """Let a growing share of calls in after a recovery, and from its end on all of them."""
        if not era.since - STRAGGLING <= now < era.until:
            era = self.era = replace(era, until=inf, admits=True)
            return era
        if self._ramp is None or self._ramp.admits(now - era.since, draw):
            return era
        return Refusal(BreakerState.HALF_OPEN, era.until - now)

    def _full(self, now: float) -> bool:
        self._places = {probe for probe in self._places if probe.holds(now)}
        return len(self._places) >= self.probes

    def _wait_for_place(self, now: float) -> Refusal:
        return Refusal(BreakerState.HALF_OPEN, min(p.until for p in self._places) - now)

    def _settle(self, probe: Probe, *, failed: bool, now: float) -> Transition | None:
        if probe not in self._running:
            return None  # Its era is over, or it has been settled.
        self.abandon(probe)
        if failed:
            return self._move(Move.RELAPSE, now)
        self._successes += 1
        if self._successes >= self.close_after:
            self.times_opened = 0
            return self._move(Move.RECOVER, now)
        return None

    def _is_slow(self, elapsed: float) -> bool:
        limit = self.trip.slower_than
        return limit is not None and elapsed >= limit

    def _move(self, move: Move, now: float) -> Transition:
        old = self.era
        new = TRANSITIONS[old.state, move]
        # The judge that tripped stays readable until calls are judged afresh.
        passing = new in PASSING
        judge = self.trip.judge() if passing else old.judge
        until = inf
        if new is BreakerState.OPEN:
            self.times_opened += 1
            until = now + self.open_for
        if move is Move.RECOVER and self._ramp is not None:
            until = now + self._ramp.seconds
        self.release_probes()
        self._successes = 0
        self.era = Era(new, old.generation + 1, judge, now, until, passing and until == inf)
        return Transition(old.state, new, now, old.generation + 1, self.times_opened)
