"""What can happen to a breaker, and where it stands afterwards.

    state         move            next          when
    CLOSED        TRIP            OPEN          the judge says so after a recorded call
    OPEN          ELAPSE          HALF_OPEN     a call arrives after the recovery time
    HALF_OPEN     RECOVER         CLOSED        `close_after` probes succeeded
    HALF_OPEN     RELAPSE         OPEN          a probe failed, or was slow under a slow-call rule
    any           FORCE_OPEN      FORCED_OPEN   an operator says so
    any           FORCE_CLOSED    FORCED_CLOSED an operator says so
    any           RESET           CLOSED        an operator says so; counts start again

What the states are for is written in `breaker`.
"""

from enum import Enum, auto

from uat_resilience._core.era import BreakerState

__all__ = ["PASSING", "TRANSITIONS", "Move"]

PASSING = frozenset({BreakerState.CLOSED, BreakerState.FORCED_CLOSED})
"""Where calls pass."""


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
