"""The gate of a rate limiter: its bucket under one short lock, and the wait for a token in every world.

Waiting is decided in advance (see `_core.gcra`): a reservation is told when it falls due, so a caller knows
before it waits whether that is too long. Giving a reservation back never blocks (see `mailbox`).
"""

from math import inf
from typing import Generic, TypeVar

from uat_resilience._core.deadline import tightest
from uat_resilience._core.gcra import GcraMachine
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.policies.mailbox import Mailbox
from uat_resilience.policies.unset import Unset, given
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import SlotQueued
from uat_resilience.waiting import Waiter, refuse_to_block, world
from uat_resilience.waiting.threads import ThreadWaiter

__all__ = ["RateGate", "Turn", "usual_burst"]


W_co = TypeVar("W_co", bound=Waiter, covariant=True)


def usual_burst(rate: float) -> int:
    """Return the burst of a limit that was given none."""
    return max(1, int(rate))


class Turn(Generic[W_co]):
    """A reservation, and who waits for it at this moment."""

    __slots__ = ("waiter",)

    def __init__(self, waiter: W_co) -> None:
        self.waiter = waiter


class RateGate:
    """Hand out tokens to threads and tasks alike, first come, first served.

    Args:
        bucket: The decisions.
        max_wait: Seconds a call waits at most, or None for no limit.
        bus: Where waiting is told.
    """

    __slots__ = ("_bus", "bucket", "mailbox", "max_wait")

    def __init__(
        self, bucket: GcraMachine[Turn[Waiter]], *, max_wait: float | None, bus: EventBus
    ) -> None:
        self.bucket = bucket
        self.max_wait = max_wait
        self._bus = bus
        self.mailbox: Mailbox[tuple[Turn[Waiter], float], Turn[Waiter]] = Mailbox(
            lambda gone: bucket.give_back(*gone), self._wake
        )

    def take(self, now: float, weight: int) -> bool:
        """Take tokens that are here; False when there are too few."""
        mailbox = self.mailbox
        with mailbox.lock:
            taken = self.bucket.take(now, weight)
        if mailbox.notes:
            mailbox.sweep()
        return taken

    def wait(self, name: str, clock: Clock, weight: int) -> float | None:
        """Wait for tokens in a thread; None when they came, else after how many seconds to ask again.

        Raises:
            RuntimeError: This thread runs an event loop, which waiting would stop.
        """
        patience = self._patience()
        if patience <= 0:
            return self._refusal(clock.now(), weight)
        refuse_to_block(name, "guard an async function, use acall() or `async with`")
        turn = Turn(ThreadWaiter())
        refused = self._reserve(turn, name, clock, weight, patience)
        if refused is not None:
            return refused
        try:
            while (until := self._until(turn)) > clock.now():
                turn.waiter.wait(clock, until)
                turn.waiter = ThreadWaiter()
        except BaseException:
            self.mailbox.post((turn, clock.now()))
            raise
        self._claim(turn)
        return None

    async def await_token(self, name: str, clock: Clock, weight: int) -> float | None:
        """Wait for tokens in a task; None when they came, else after how many seconds to ask again.

        A cancelled wait gives its reservation back.
        """
        patience = self._patience()
        if patience <= 0:
            return self._refusal(clock.now(), weight)
        here = world()
        turn = Turn(here.waiter())
        refused = self._reserve(turn, name, clock, weight, patience)
        if refused is not None:
            return refused
        try:
            while (until := self._until(turn)) > clock.now():
                await turn.waiter.wait(clock, until)
                turn.waiter = here.waiter()
        except BaseException:
            self.mailbox.post((turn, clock.now()))
            raise
        self._claim(turn)
        return None

    def update(
        self,
        now: float,
        *,
        rate: float | Unset,
        per: float | Unset,
        burst: int | Unset | None,
        max_wait: float | Unset | None,
    ) -> None:
        """Go by other settings from now on. Those who fall due earlier now are woken."""
        with self.mailbox.lock:
            bucket = self.bucket
            rate = given(rate, bucket.rate)
            moved = bucket.retune(
                now,
                rate=rate,
                per=given(per, bucket.per),
                burst=usual_burst(rate) if burst is None else given(burst, bucket.burst),
            )
            self.max_wait = given(max_wait, self.max_wait)
        for turn in moved:
            self._wake(turn)
        self.mailbox.sweep()

    def renew(self) -> None:
        """In a forked child: a free lock, and nobody waiting."""
        self.mailbox.renew()
        self.bucket.clear()

    def _patience(self) -> float:
        """Return the seconds a call may wait: what it was told, and no longer than its deadline."""
        deadline = current_deadline.get()
        left = tightest(self.max_wait, None if deadline is None else deadline.remaining())
        return inf if left is None else left

    def _refusal(self, now: float, weight: int) -> float | None:
        with self.mailbox.lock:
            # A token may have fallen due since the caller looked.
            refused = (
                None if self.bucket.take(now, weight) else self.bucket.retry_after(now, weight)
            )
        self.mailbox.sweep()
        return refused

    def _reserve(
        self, turn: Turn[Waiter], name: str, clock: Clock, weight: int, patience: float
    ) -> float | None:
        """Make a reservation; return None, or the seconds after which it would no longer be refused."""
        now = clock.now()
        with self.mailbox.lock:
            until = self.bucket.reserve(turn, now, weight, patience=patience)
            refused = self.bucket.retry_after(now, weight, patience=patience)
            waiting = self.bucket.waiting
        self.mailbox.sweep()
        if until is None:
            return refused
        if self._bus.wants(SlotQueued):
            self._bus.emit(SlotQueued(name, now, waiting))
        return None

    def _until(self, turn: Turn[Waiter]) -> float:
        # Read after the turn has its new waiter: who moves it up from now on wakes that one.
        with self.mailbox.lock:
            until = self.bucket.until(turn)
        self.mailbox.sweep()
        return until

    def _claim(self, turn: Turn[Waiter]) -> None:
        with self.mailbox.lock:
            heir = self.bucket.claim(turn)
        if heir is not None:
            self._wake(heir)
        self.mailbox.sweep()

    @staticmethod
    def _wake(turn: Turn[Waiter]) -> None:
        turn.waiter.grant()  # If it is gone, its own clean-up gives the reservation back.
