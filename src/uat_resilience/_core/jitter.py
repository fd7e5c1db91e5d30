"""Spread pauses, so that clients that failed together do not come back together.

Jitter is drawn inside the backoff's cap: at the cap clients are as spread as anywhere else.
Formulas: "full" and "equal" jitter as in the AWS Architecture Blog, "Exponential Backoff And
Jitter" (2015), which found full jitter to finish the same work with the fewest calls.
"""

from enum import Enum

__all__ = ["Jitter"]


class Jitter(Enum):
    """How much of a pause is left to chance."""

    NONE = "none"
    """The pause itself. For tests, or where one client only calls."""

    FULL = "full"
    """Anything from 0 to the pause: the best spread."""

    EQUAL = "equal"
    """At least half of the pause: a floor for dependencies that need rest."""

    def spread(self, delay: float, draw: float) -> float:
        """Return the pause to take, given a uniform `draw` from [0, 1)."""
        if self is Jitter.NONE:
            return delay
        if self is Jitter.FULL:
            return delay * draw
        return delay / 2 + delay / 2 * draw
