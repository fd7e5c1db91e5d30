"""A rate limit by the generic cell rate algorithm (ITU-T I.371): exact burst, first come, first served.

Theory of operation
-------------------
A bucket of `burst` tokens gains one token each `interval` and never holds more. It is kept as a moment and
a count: `spent` tokens since `since`, when it was last full. Then

    a request for w tokens falls due at   since + (spent + w - burst) * interval   or now, if that is later
    the bucket is full again at           since + spent * interval

Only whole tokens are added up, so nothing drifts, however long the bucket stays busy. A nanosecond is
forgiven when a due time is compared, because a clock moved ten times by 0.1 s stands a hair before 1.0.

Waiting is decided in advance. A reservation spends its tokens at once and is told when it falls due. So a
caller knows before it waits whether that is too long, newcomers queue behind it by construction, and small
requests never starve a large one. Whoever waits does it by its own timer; nobody has to grant anything:

    take               True: run
    reserve            None: refused, and `retry_after` says when to come back
                       a time: wait until then
        woken before   somebody ahead left: read the earlier time from `until`, wait for that
        in time        `claim`, then run
        gone           `give_back`

`claim` and `give_back` return the waiter to wake, if any: the new head of the queue, when it falls due
earlier than it was told. Everybody further back learns it on becoming the head: a cancellation costs one
wake-up, not one for each waiter behind it.

A reservation given back leaves the bucket as if it had never been made, with one exception: if the bucket
would have been full without it for a while, the tokens of that while would have run over, and do not come
back. That can only happen after its due time.

A limit that is replaced (`retune`) keeps what was spent and not yet regained, in tokens: as if the new limit had
been there all along. What was reserved stays reserved, and nobody falls due later than it was told; those who fall
due earlier now are all returned, to be woken.

The limit holds for due times: in any stretch of t seconds at most `burst + t / interval` tokens fall due.
A waiter that wakes late does not lower the rate.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from typing import Generic, TypeVar

__all__ = ["GcraMachine"]

_GRACE = 1e-9
_OTHER_CLOCK = 1.0  # `now` is read before the lock is taken, so a little out of order is usual.

W = TypeVar("W")


@dataclass(slots=True)
class _Place:
    """A reservation: how many tokens, the time its waiter was told, and what was run by those behind it."""

    weight: int
    until: float
    overtaken: int = 0


class GcraMachine(Generic[W]):
    """Spend tokens now, or reserve those to come. Not thread-safe: its owner locks.

    Args:
        rate: Tokens per `per` seconds, above 0.
        per: Seconds, above 0.
        burst: Tokens that a rested bucket holds, at least 1. No weight may be above it.
    """

    __slots__ = ("_interval", "_places", "_reserved", "_since", "_spent", "burst", "per", "rate")

    def __init__(self, *, rate: float, per: float, burst: int) -> None:
        self.rate = rate
        self.per = per
        self.burst = burst
        self._interval: float = per / rate
        self._since: float = -inf
        self._spent = 0
        self._reserved = 0
        self._places: OrderedDict[W, _Place] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Reservations that are neither claimed nor given back, nor long overdue."""
        return len(self._places)

    def take(self, now: float, weight: int = 1) -> bool:
        """Spend tokens that are here now; False, and nothing spent, when there are too few."""
        since, spent = self._since, self._spent
        # What `_busy` asks, spelled out: every call comes here.
        if since - _OTHER_CLOCK <= now < since + spent * self._interval:
            missing = spent + weight - self.burst
            if missing > 0 and since + missing * self._interval - now > _GRACE:
                return False
            self._spent = spent + weight
            if self._places:
                self._overtake(self._places.values(), weight)
            return True
        self._since, self._spent = now, weight
        if self._places:
            self._forget()
        return True

    def wait_for(self, now: float, weight: int = 1) -> float:
        """Return the seconds a newcomer would wait, 0 when it would not."""
        if not self._busy(now):
            return 0.0
        missing = self._spent + weight - self.burst
        if missing <= 0:
            return 0.0
        wait = self._since + missing * self._interval - now
        return wait if wait > _GRACE else 0.0

    def reserve(
        self, waiter: W, now: float, weight: int = 1, *, patience: float = inf
    ) -> float | None:
        """Spend tokens to come; return the time they fall due, or None when that is over `patience` seconds.

        A refused reservation spends nothing.
        """
        wait = self.wait_for(now, weight)
        if wait > patience + _GRACE:
            return None
        self._spent += weight
        self._reserved += weight
        until = self._since + (self._spent - self.burst) * self._interval if wait else now
        self._places[waiter] = _Place(weight, until)
        return until

    def retry_after(self, now: float, weight: int = 1, *, patience: float = 0.0) -> float:
        """Return after how many seconds `reserve` would no longer refuse; above 0 when it just did."""
        return max(0.0, self.wait_for(now, weight) - patience)

    def until(self, waiter: W) -> float:
        """Return when a waiter falls due, as far as it needs to know; -inf when that is long past."""
        place = self._places.get(waiter)
        return -inf if place is None else place.until

    def claim(self, waiter: W) -> W | None:
        """End a wait whose time has come; return a waiter that must be woken to read its earlier time."""
        if waiter in self._places:
            self._overtake(self._ahead_of(waiter), self._places[waiter].weight)
            self._reserved -= self._places.pop(waiter).weight
        return self._moved_up()

    def give_back(self, waiter: W, now: float) -> W | None:
        """End a wait that came to nothing; return a waiter that must be woken to read its earlier time.

        A reservation that is not there (claimed, given back, or so old that the bucket has been full
        since) has nothing to give.
        """
        if not self._busy(now) or waiter not in self._places:
            return None
        spilled = self._spilled(waiter, now)
        weight = self._places.pop(waiter).weight
        self._spent -= weight
        self._reserved -= weight
        self._since += min(spilled, weight * self._interval)
        return self._moved_up()

    def available(self, now: float) -> float:
        """Return the tokens a newcomer finds, 0 while somebody waits for tokens to come."""
        if not self._busy(now):
            return float(self.burst)
        return max(0.0, self.burst - self._spent + (now - self._since) / self._interval)

    def retune(self, now: float, *, rate: float, per: float, burst: int) -> list[W]:
        """Go by another limit from now on; return the waiters that fall due earlier than they were told."""
        interval = per / rate
        if self._busy(now) and interval != self._interval:
            # As many tokens have come since the bucket was last full as before, each in the new time.
            now = max(now, self._since)
            self._since = now - (now - self._since) * (interval / self._interval)
        self._interval = interval
        self.rate, self.per, self.burst = rate, per, burst
        moved: list[W] = []
        ahead = 0
        for waiter, place in self._places.items():
            if self._moves_up(place, ahead):
                moved.append(waiter)
            ahead += place.weight
        return moved

    def clear(self) -> None:
        """Give every reservation back: in a forked child nobody is left to claim one."""
        self._spent -= self._reserved
        self._reserved = 0
        self._places.clear()

    def _busy(self, now: float) -> bool:
        """Bring the bucket up to `now`; True unless it is full."""
        since = self._since
        if since - _OTHER_CLOCK <= now < since + self._spent * self._interval:
            return True
        # Full, and everybody's time has passed; or a clock with an earlier epoch took over.
        self._since, self._spent = now, 0
        if self._places:
            self._forget()
        return False

    def _forget(self) -> None:
        """Drop all reservations, whose time has passed."""
        self._reserved = 0
        self._places.clear()

    def _spilled(self, waiter: W, now: float) -> float:
        """Return for how many seconds the bucket would have been full, had the waiter not come.

        Those who came after it are left out, which can only make it longer.
        """
        full_at = self._full_at(self._places[waiter])
        if now <= full_at:
            return 0.0  # Not even without those ahead that have not run.
        ahead = sum(place.weight for place in self._ahead_of(waiter))
        return max(0.0, now - full_at - ahead * self._interval)

    def _moved_up(self) -> W | None:
        """Return the head of the queue if it falls due earlier than it was told, and note the new time."""
        head = next(iter(self._places), None)
        if head is None:
            return None
        return head if self._moves_up(self._places[head], 0) else None

    def _moves_up(self, place: _Place, ahead: int) -> bool:
        """Note the time a place falls due behind so many tokens; True when that is earlier than it was told."""
        due = self._full_at(place) + (ahead + place.weight - self.burst) * self._interval
        if due >= place.until - _GRACE:
            return False
        place.until = due
        return True

    def _full_at(self, place: _Place) -> float:
        """Return when the bucket would be full with only those that came before `place` and ran."""
        ran_before = self._spent - self._reserved - place.overtaken
        return self._since + ran_before * self._interval

    def _ahead_of(self, waiter: W) -> Iterator[_Place]:
        ahead = takewhile(lambda other: other != waiter, self._places)
        return (self._places[other] for other in ahead)

    @staticmethod
    def _overtake(places: Iterable[_Place], weight: int) -> None:
        # Only those whose time has come can be overtaken: they have not woken yet, or never will.
        for place in places:
            place.overtaken += weight
