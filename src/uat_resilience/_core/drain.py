"""Shutting down in phases, with every piece of work accounted for.

Theory of operation
-------------------
Work is counted from the first call on, not from the moment somebody asks for a shutdown: what was begun
before is what must be waited for. A service first says that it is going (not ready) and goes on serving for
`delay` seconds, because load balancers take a while to hear it; only then it refuses, and waits for what runs.
All of it, closing included, has `grace` seconds from the beginning. Work that hangs may not use up all of them:
the last `reserve` seconds belong to the closers.

    phase        move      next        when
    RUNNING      BEGIN     ANNOUNCED   somebody asks
    ANNOUNCED    ELAPSE    DRAINING    `delay` is over
    DRAINING     EMPTY     CLOSING     the last work ended
    DRAINING     EXPIRE    CLOSING     the reserve begins; what runs is cut off
    CLOSING      CLOSE     CLOSED      the closers have run
    any before   FORCE     FORCED      somebody asks again; what runs is cut off

Nothing happens by itself: phases that end with time end at the first question after it, and `until` says
when to ask. A move that the table does not know is no error and does nothing: signals come twice.

    before + during  =  finished + running         after BEGIN, always
    cut              =  running                    when EXPIRE or FORCE came; later ends do not undo it
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from math import inf

__all__ = [
    "TRANSITIONS",
    "Account",
    "DrainMachine",
    "Phase",
    "PhaseChange",
    "PhaseMove",
    "reserve_of",
]

_RESERVE = 5.0
_SHARE = 0.25


class Phase(IntEnum):
    """How far a shutdown has come; the numbers are those shown in JSON and metrics."""

    RUNNING = 0
    """Ready, and work is accepted."""

    ANNOUNCED = 1
    """Not ready any more, and work is still accepted."""

    DRAINING = 2
    """Work is refused; what runs is waited for."""

    CLOSING = 3
    """Nothing is waited for any more; closers run."""

    CLOSED = 4
    """Done."""

    FORCED = 5
    """Given up at the second request: leave at once."""


class PhaseMove(Enum):
    """What can happen to a shutdown."""

    BEGIN = auto()
    ELAPSE = auto()
    EMPTY = auto()
    EXPIRE = auto()
    CLOSE = auto()
    FORCE = auto()


TRANSITIONS: dict[tuple[Phase, PhaseMove], Phase] = {
    (Phase.RUNNING, PhaseMove.BEGIN): Phase.ANNOUNCED,
    (Phase.ANNOUNCED, PhaseMove.ELAPSE): Phase.DRAINING,
    (Phase.DRAINING, PhaseMove.EMPTY): Phase.CLOSING,
    (Phase.DRAINING, PhaseMove.EXPIRE): Phase.CLOSING,
    (Phase.CLOSING, PhaseMove.CLOSE): Phase.CLOSED,
    **{(phase, PhaseMove.FORCE): Phase.FORCED for phase in Phase if phase < Phase.CLOSED},
}

_CUTTING = frozenset({PhaseMove.EXPIRE, PhaseMove.FORCE})


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """A fact to tell once the lock is free."""

    old: Phase
    new: Phase
    at: float


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the work.

    Attributes:
        before: Work that ran when the shutdown began.
        during: Work accepted while it was announced.
        refused: Work that came later and was not begun.
        finished: Of `before` and `during`, what has ended by now.
        cut: What still ran when nothing was waited for any more.
    """

    before: int
    during: int
    refused: int
    finished: int
    cut: int


class DrainMachine:
    """Count work and move through the phases. Not thread-safe: its owner locks.

    Args:
        delay: Seconds to go on accepting work after the announcement, from 0 to `grace`.
        grace: Seconds for everything, above 0.
        reserve: Seconds at the end of these in which no work is waited for, from 0 to `grace - delay`.

    Attributes:
        reserve: As above. May be changed at any time.
    """

    __slots__ = (
        "_before",
        "_began",
        "_cut",
        "_delay",
        "_during",
        "_grace",
        "_refused",
        "phase",
        "reserve",
        "running",
    )

    def __init__(self, *, delay: float, grace: float, reserve: float = 0.0) -> None:
        self._delay = delay
        self._grace = grace
        self.reserve = reserve
        self.renew()

    def renew(self) -> None:
        """Start again: in a forked child no work runs, and nobody asked it to shut down."""
        self.phase = Phase.RUNNING
        self.running = 0
        self._began = inf
        self._before = self._during = self._refused = self._cut = 0

    @property
    def until(self) -> float:
        """When the phase ends by itself, or closers must be done; inf when time ends nothing."""
        if self.phase is Phase.ANNOUNCED:
            return self._began + self._delay
        kept = self.reserve if self.phase is Phase.DRAINING else 0.0
        return self._began + self._grace - kept

    @property
    def account(self) -> Account:
        """What became of the work so far. All 0 while running."""
        begun = self._before + self._during
        finished = begun - self.running if self.phase is not Phase.RUNNING else 0
        return Account(self._before, self._during, self._refused, finished, self._cut)

    def enter(self, now: float) -> tuple[bool, list[PhaseChange]]:
        """Begin a piece of work; False when it must not be. The second part tells of a phase that is over."""
        moved = self.poll(now)
        if self.phase > Phase.ANNOUNCED:
            self._refused += 1
            return False, moved
        self.running += 1
        if self.phase is Phase.ANNOUNCED:
            self._during += 1
        return True, moved

    def leave(self, now: float) -> list[PhaseChange]:
        """End a piece of work that was begun, in whatever phase."""
        self.running -= 1
        return self.poll(now)

    def begin(self, now: float) -> list[PhaseChange]:
        """Ask for the shutdown. Asking again changes nothing."""
        return self._move(PhaseMove.BEGIN, now) + self.poll(now)

    def poll(self, now: float) -> list[PhaseChange]:
        """End the phases whose time has come."""
        moved: list[PhaseChange] = []
        if self.phase is Phase.RUNNING:
            return moved
        if self.phase is Phase.ANNOUNCED and now >= self.until:
            moved += self._move(PhaseMove.ELAPSE, now)
        if self.phase is Phase.DRAINING and not self.running:
            moved += self._move(PhaseMove.EMPTY, now)
        if self.phase is Phase.DRAINING and now >= self.until:
            moved += self._move(PhaseMove.EXPIRE, now)
        return moved

    def close(self, now: float) -> list[PhaseChange]:
        """Say that the closers have run."""
        return self._move(PhaseMove.CLOSE, now)

    def force(self, now: float) -> list[PhaseChange]:
        """Give up waiting and closing. Comes too late once all is closed."""
        return self._move(PhaseMove.FORCE, now)

    def _move(self, move: PhaseMove, now: float) -> list[PhaseChange]:
        old = self.phase
        new = TRANSITIONS.get((old, move))
        if new is None:
            return []
        self.phase = new
        if old is Phase.RUNNING:
            self._began = now
            self._before = self.running
        if move in _CUTTING and old is not Phase.CLOSING:
            self._cut = self.running
        return [PhaseChange(old, new, now)]


def reserve_of(rest: float) -> float:
    """Return how many seconds after the delay are kept for closers at most: of many 5, of few a quarter."""
    return min(_RESERVE, rest * _SHARE)
