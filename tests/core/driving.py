"""A breaker machine with a clock in its hand, so that a test reads as what happened."""

from uat_resilience._core.breaker import (
    BreakerMachine,
    BreakerState,
    Move,
    Refusal,
    Ticket,
    Transition,
)
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.trip import ConsecutiveFailures, TripRule


class Driven:
    """Make calls through a machine; what it tells is kept in `told`."""

    def __init__(
        self,
        trip: TripRule = ConsecutiveFailures(2),  # noqa: B008 - frozen
        *,
        open_for: float = 30.0,
        probes: int = 1,
        close_after: int = 1,
        lease: float | None = None,
        ramp: Ramp | None = None,
    ) -> None:
        self.machine = BreakerMachine(
            trip, open_for=open_for, probes=probes, close_after=close_after, lease=lease, ramp=ramp
        )
        self.now = 0.0
        self.told: list[Transition] = []

    @property
    def state(self) -> BreakerState:
        return self.machine.era.state

    @property
    def opened(self) -> int:
        """Times that OPEN was told."""
        return [moved.new for moved in self.told].count(BreakerState.OPEN)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, *, late: float = 0.0, draw: float = 0.0) -> Ticket | Refusal:
        """Ask to be let in, with a reading of the clock that may be a little old, and with some luck."""
        answer, moved = self.machine.admit(self.now - late, draw)
        self._note(moved)
        return answer

    def begin(self) -> Ticket:
        """Begin a call that is let in."""
        answer = self.ask()
        assert not isinstance(answer, Refusal)
        return answer

    def refusal(self) -> Refusal:
        """Begin a call that is refused."""
        answer = self.ask()
        assert isinstance(answer, Refusal)
        return answer

    def succeed(self, ticket: Ticket | None = None, *, elapsed: float = 0.0) -> None:
        """End a call well: the given one, or one that is begun now."""
        self._record(ticket, 0, elapsed)

    def fail(self, ticket: Ticket | None = None, *, elapsed: float = 0.0) -> None:
        """End a call badly: the given one, or one that is begun now."""
        self._record(ticket, 1, elapsed)

    def abandon(self, ticket: Ticket) -> None:
        self.machine.abandon(ticket)

    def force(self, move: Move) -> Transition | None:
        moved = self.machine.force(move, self.now)
        self._note(moved)
        return moved

    def retry_after(self) -> float | None:
        return self.machine.retry_after(self.now)

    def open(self) -> "Driven":
        """Fail until it opens."""
        for _ in range(10):
            if self.state is BreakerState.CLOSED:
                self.fail()
        assert self.state is BreakerState.OPEN
        return self

    def half_open(self) -> Ticket:
        """Fail until it opens, wait until that is over, and return the first probe."""
        self.open()
        self.wait(self.machine.era.until - self.now)
        return self.begin()

    def _record(self, ticket: Ticket | None, failed: int, elapsed: float) -> None:
        ticket = self.begin() if ticket is None else ticket
        self._note(self.machine.record(ticket, failed, elapsed, self.now))

    def _note(self, moved: Transition | None) -> None:
        if moved is not None:
            self.told.append(moved)
