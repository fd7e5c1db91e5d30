"""Flights: one call for everybody who asks for the same thing at the same time, and what came of the last one.

A flight belongs to its leader, the call that really runs; followers wait for what it brings. Cancelling the
leader says nothing about the answer, so the first follower takes over and the others go on waiting. A value
is kept for `ttl` seconds, and after that for `stale_if_error` seconds more in case the next flight fails.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.waiting import Waiter

__all__ = ["Flights", "Landed", "Seat", "copied"]

T = TypeVar("T")


class Landed(Generic[T]):
    """A value that a flight brought."""

    __slots__ = ("at", "value")

    def __init__(self, value: T, at: float) -> None:
        self.value = value
        self.at = at


class Seat(Generic[T]):
    """A follower's place in a flight.

    Attributes:
        landed: The value, once it is there.
        error: Or the error.
        leads: Or True, once the leader is gone and this follower is next.
    """

    __slots__ = ("error", "key", "landed", "leads", "waiter")

    def __init__(self, key: Hashable, waiter: Waiter) -> None:
        self.key = key
        self.waiter = waiter
        self.landed: Landed[T] | None = None
        self.error: Exception | None = None
        self.leads = False


class Flights(Generic[T]):
    """Flights under way, and the values of those that have landed. Thread-safe; ending a flight never blocks.

    Args:
        ttl: Seconds that a value is fresh.
        stale_if_error: Seconds after that in which it still stands in for an error.
        maximum: Values kept at most; the least recently used goes first.
    """

    __slots__ = ("_landed", "_mailbox", "_maximum", "_stale", "_ttl", "_under_way")

    def __init__(self, *, ttl: float, stale_if_error: float, maximum: int) -> None:
        self._ttl = ttl
        self._stale = stale_if_error
        self._maximum = maximum
        self._under_way: dict[Hashable, dict[Seat[T], None]] = {}
        self._landed: OrderedDict[Hashable, Landed[T]] = OrderedDict()
        # A note is a change to be made under the lock; it returns the seats to wake.
        self._mailbox: Mailbox[Callable[[], list[Seat[T]]], list[Seat[T]]] = Mailbox(
            lambda change: change(), self._wake
        )

    def renew(self) -> None:
        """Start again: in a forked child nobody flies."""
        self._mailbox.renew()
        self._under_way.clear()

    def counts(self) -> tuple[int, int]:
        """Return the flights under way and the values kept."""
        return len(self._under_way), len(self._landed)

    def fresh(self, key: Hashable, now: float) -> Landed[T] | None:
        """Return a value that is fresh, or None."""
        with self._mailbox.lock:
            landed = self._landed.get(key)
            if landed is not None and not 0 <= now - landed.at < self._ttl:
                landed = None
            if landed is not None:
                self._landed.move_to_end(key)
        self._mailbox.sweep()
        return landed

    def lead(self, key: Hashable) -> bool:
        """Begin a flight; False when there is one to join."""
        seats: dict[Seat[T], None] = {}
        with self._mailbox.lock:
            leads = self._under_way.setdefault(key, seats) is seats
        self._mailbox.sweep()
        return leads

    def join(self, seat: Seat[T]) -> bool:
        """Take a seat; False when the flight is gone."""
        with self._mailbox.lock:
            seats = self._under_way.get(seat.key)
            if seats is not None:
                seats[seat] = None
        self._mailbox.sweep()
        return seats is not None

    def land(self, key: Hashable, value: T, now: float) -> None:
        """End a flight with a value, keep it, and wake the followers."""
        landed = Landed(value, now)

        def change() -> list[Seat[T]]:
            if self._ttl or self._stale:
                self._landed[key] = landed
                self._landed.move_to_end(key)
                if len(self._landed) > self._maximum:
                    self._landed.popitem(last=False)
            return self._end(key, landed, None)

        self._mailbox.post(change)

    def crash(self, key: Hashable, error: Exception, now: float) -> Landed[T] | None:
        """End a flight with an error and wake the followers; return the stale value to use instead, if any."""
        landed = self._landed.get(key)
        if landed is not None and not 0 <= now - landed.at < self._ttl + self._stale:
            landed = None
        self._mailbox.post(lambda: self._end(key, landed, error))
        return landed

    def hand_over(self, key: Hashable) -> None:
        """Leave a flight whose leader is gone to the first follower that is still there."""
        self._mailbox.post(lambda: self._pass_on(key))

    def leave(self, seat: Seat[T]) -> None:
        """Give up a seat; a follower that was to lead hands over."""

        def change() -> list[Seat[T]]:
            self._under_way.get(seat.key, {}).pop(seat, None)
            return self._pass_on(seat.key) if seat.leads else []

        self._mailbox.post(change)

    def forget(self, key: Hashable) -> None:
        """Drop the value of a key. A flight under way is not stopped, and its value is kept when it lands."""
        with self._mailbox.lock:
            self._landed.pop(key, None)
        self._mailbox.sweep()

    def _end(
        self, key: Hashable, landed: Landed[T] | None, error: Exception | None
    ) -> list[Seat[T]]:
        seats = self._under_way.pop(key, {})
        for seat in seats:
            seat.landed, seat.error = landed, error
        return list(seats)

    def _pass_on(self, key: Hashable) -> list[Seat[T]]:
        seats = self._under_way.get(key)
        if not seats:
            self._under_way.pop(key, None)
            return []
        heir = next(iter(seats))
        del seats[heir]
        heir.leads = True
        return [heir]

    def _wake(self, seats: list[Seat[T]]) -> None:
        for seat in seats:
            if not seat.waiter.grant() and seat.leads:
                self.hand_over(seat.key)  # Its event loop is gone, so it will not fly.


def copied(error: Exception) -> Exception:
    """Return a copy of an error with the error as its cause, or the error itself where it cannot be copied."""
    try:
        twin = copy(error)
    except Exception:  # noqa: BLE001 - some constructors do not take their own arguments back
        return error
    twin.__cause__ = error
    return twin
