"""The rate limiter against two naive ones, in numbers that floats hold exactly (quarters and eighths).

The first spends tokens one by one from a bucket when the head of its queue has enough: it knows nothing of
due times. The second replays every arrival, with or without those that left.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from uat_resilience._core.gcra import GcraMachine

INTERVALS = st.sampled_from([0.25, 0.5, 1.0, 2.0])
BURSTS = st.integers(1, 5)
STEPS = st.integers(0, 40).map(lambda eighths: eighths / 8)
SHARES = st.floats(0, 1, exclude_max=True)


@dataclass
class NaiveBucket:
    """Tokens drip in and stop at the brim; the head of the queue goes when there are enough."""

    interval: Fraction
    burst: int
    now: Fraction = Fraction(0)
    tokens: Fraction = Fraction(0)
    queue: list[tuple[str, int]] = field(default_factory=list)
    ran: dict[str, float] = field(default_factory=dict)

    def advance(self, until: Fraction) -> None:
        while self.queue:
            name, weight = self.queue[0]
            at = self.now + max(Fraction(0), weight - self.tokens) * self.interval
            if at > until:
                break
            self._drip(at)
            self.tokens -= weight
            self.queue.pop(0)
            self.ran[name] = float(at)
        self._drip(until)

    def take(self, weight: int) -> bool:
        if self.queue or self.tokens < weight:
            return False
        self.tokens -= weight
        return True

    def retune(self, interval: Fraction, burst: int) -> None:
        self.tokens += burst - self.burst  # What is missing from a full bucket stays missing.
        self.interval, self.burst = interval, burst
        self.advance(self.now)

    def leave(self, name: str) -> None:
        self.queue = [place for place in self.queue if place[0] != name]
        self.advance(self.now)

    def _drip(self, until: Fraction) -> None:
        self.tokens = min(Fraction(self.burst), self.tokens + (until - self.now) / self.interval)
        self.now = until


class PunctualWaiters(RuleBasedStateMachine):
    """Waiters do what the machine's docstring says, and each runs the moment it may."""

    @initialize(interval=INTERVALS, burst=BURSTS)
    def begin(self, interval: float, burst: int) -> None:
        self.now = 0.0
        self.machine: GcraMachine[str] = GcraMachine(rate=1.0, per=interval, burst=burst)
        self.model = NaiveBucket(Fraction(interval), burst, tokens=Fraction(burst))
        self.timers: dict[str, float] = {}
        self.woken: dict[str, float] = {}
        self.ran: dict[str, float] = {}
        self.names = (f"waiter {n}" for n in range(10_000))

    @rule(share=SHARES)
    def take(self, share: float) -> None:
        weight = 1 + int(share * self.machine.burst)

        assert self.machine.take(self.now, weight) == self.model.take(weight)

    @rule(share=SHARES)
    def reserve(self, share: float) -> None:
        weight = 1 + int(share * self.machine.burst)
        name = next(self.names)
        until = self.machine.reserve(name, self.now, weight)
        assert until is not None
        self.timers[name] = until
        self.model.queue.append((name, weight))
        self._settle()

    @rule(step=STEPS)
    def advance(self, step: float) -> None:
        self.now += step
        self._settle()

    @precondition(lambda self: self.timers)
    @rule(share=SHARES)
    def leave(self, share: float) -> None:
        name = list(self.timers)[int(share * len(self.timers))]
        del self.timers[name]
        self._wake(self.machine.give_back(name, self.now))
        self.model.leave(name)
        self._settle()

    @rule(interval=INTERVALS, burst=BURSTS)
    def retune(self, interval: float, burst: int) -> None:
        if self.timers:  # Nobody's time is put off, which the naive bucket cannot know.
            interval = min(interval, self.machine.per)
            burst = max(burst, self.machine.burst)
        due = dict(self.timers)

        moved = self.machine.retune(self.now, rate=1.0, per=interval, burst=burst)

        for name in moved:
            self._wake(name)
            assert self.timers[name] < due[name]
        self.model.retune(Fraction(interval), burst)
        self._settle()

    @invariant()
    def agree(self) -> None:
        assert self.ran == self.model.ran
        assert self.machine.waiting == len(self.timers) == len(self.model.queue)
        if not self.model.queue:
            assert self.machine.available(self.now) == max(0, self.model.tokens)

    def _settle(self) -> None:
        while self.timers:
            name = min(self.timers, key=lambda waiter: self.timers[waiter])
            if self.timers[name] > self.now:
                break
            # Woken early and told a time that is past, it runs when it is woken.
            self.ran[name] = max(self.timers.pop(name), self.woken.pop(name, 0.0))
            self._wake(self.machine.claim(name), at=self.ran[name])
        self.model.advance(Fraction(self.now))

    def _wake(self, name: str | None, at: float | None = None) -> None:
        if name is not None:
            self.timers[name] = self.machine.until(name)
            self.woken[name] = self.now if at is None else at


@dataclass(frozen=True)
class Arrival:
    at: float
    weight: int
    limits: int = 0  # Changes of the limit before it.


class TardyWaiters(RuleBasedStateMachine):
    """Waiters run or leave whenever they like: late, out of order, or never."""

    @initialize(interval=INTERVALS, burst=BURSTS)
    def begin(self, interval: float, burst: int) -> None:
        self.now = 0.0
        self.limits = [(0.0, interval)]
        self.most, self.fastest = burst, interval
        self.gone = 0  # Tokens of those that ran.
        self.machine: GcraMachine[int] = GcraMachine(rate=1.0, per=interval, burst=burst)
        self.arrivals: dict[int, Arrival] = {}
        self.waiting: list[int] = []
        self.left: set[int] = set()

    @rule(step=STEPS)
    def advance(self, step: float) -> None:
        self.now += step

    @rule(share=SHARES)
    def take(self, share: float) -> None:
        weight = 1 + int(share * self.machine.burst)
        if self.machine.take(self.now, weight):
            self.arrivals[len(self.arrivals)] = self._arrival(weight)
            self.gone += weight

    @rule(interval=INTERVALS, burst=BURSTS)
    def retune(self, interval: float, burst: int) -> None:
        told = {name: self.machine.until(name) for name in self.waiting}

        moved = self.machine.retune(self.now, rate=1.0, per=interval, burst=burst)

        self.limits.append((self.now, interval))
        self.most, self.fastest = max(self.most, burst), min(self.fastest, interval)
        for name in self.waiting:
            until = self.machine.until(name)
            assert until < told[name] if name in moved else until in (told[name], -inf)

    @rule(share=SHARES, patience=STEPS)
    def reserve(self, share: float, patience: float) -> None:
        weight = 1 + int(share * self.machine.burst)
        name = len(self.arrivals)
        until = self.machine.reserve(name, self.now, weight, patience=patience)
        if until is None:
            wait = self.machine.retry_after(self.now, weight, patience=patience)
            assert wait > 0
            assert self.machine.wait_for(self.now, weight) == wait + patience
            return
        assert until - self.now <= patience
        self.arrivals[name] = self._arrival(weight)
        self.waiting.append(name)

    @precondition(lambda self: self.waiting)
    @rule(share=SHARES)
    def claim_when_due(self, share: float) -> None:
        name = self.waiting[int(share * len(self.waiting))]
        if self.machine.until(name) <= self.now:
            self.waiting.remove(name)
            self.machine.claim(name)
            self.gone += self.arrivals[name].weight

    @precondition(lambda self: self.waiting)
    @rule(share=SHARES)
    def leave(self, share: float) -> None:
        name = self.waiting.pop(int(share * len(self.waiting)))
        self.machine.give_back(name, self.now)
        self.left.add(name)

    @invariant()
    def bucket_fills_no_sooner_than_if_they_had_not_come(self) -> None:
        without = self._replay(set(self.arrivals) - self.left)
        with_all = self._replay(set(self.arrivals))
        assert without <= self.machine.wait_for(self.now, self.machine.burst) <= with_all

    @invariant()
    def no_token_is_given_twice(self) -> None:
        assert self.gone <= self.most + self.now / self.fastest

    def _arrival(self, weight: int) -> Arrival:
        return Arrival(self.now, weight, len(self.limits))

    def _replay(self, names: set[int]) -> float:
        """Return when the bucket were full, had only these arrivals happened (GCRA's textbook form)."""
        arrivals = [self.arrivals[name] for name in sorted(names)]
        at, missing = 0.0, 0.0
        for n, (_, interval) in enumerate(self.limits, start=1):
            for arrival in (each for each in arrivals if each.limits == n):
                missing = max(0.0, missing - (arrival.at - at) / interval) + arrival.weight
                at = arrival.at
            until = self.limits[n][0] if n < len(self.limits) else self.now
            missing = max(0.0, missing - (until - at) / interval)
            at = until
        return missing * self.limits[-1][1]


TestPunctualWaiters = PunctualWaiters.TestCase
TestTardyWaiters = TardyWaiters.TestCase
