"""Give a dependency that has recovered its load back bit by bit, instead of opening the flood gate.

    share
    1.0  |           ________
         |         /
         |       /                share = start + (1 - start) * since / seconds
         |     /
    start|___/
         +---+-------+------->    since
             0       seconds

A cold cache or an empty connection pool that carries the whole load at once falls over again. The straight line
and the first tenth are those of Envoy's slow start (`aggression` 1.0, `min_weight_percent` 10).
"""

from dataclasses import KW_ONLY, dataclass

from uat_resilience._core.arguments import fraction, seconds

__all__ = ["Ramp"]


@dataclass(frozen=True, slots=True)
class Ramp:
    """Admit a growing share of calls for a while.

    A cold cache that carries the whole load at once falls over again. The straight line and the first tenth are
    those of Envoy's slow start.

    Frozen, and safe to share.

    Args:
        seconds: How long it takes until every call is admitted, above 0.
        start: Share of calls admitted at first, above 0 and up to 1.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    seconds: float
    _: KW_ONLY
    start: float = 0.1

    def __post_init__(self) -> None:
        seconds("seconds", self.seconds)
        fraction("start", self.start)

    def share(self, since: float) -> float:
        """Return the share of calls to admit, `since` seconds after the ramp began."""
        if since >= self.seconds:
            return 1.0
        return self.start + (1 - self.start) * max(0.0, since) / self.seconds

    def admits(self, since: float, draw: float) -> bool:
        """Return True when a call passes, given a uniform `draw` from [0, 1)."""
        return draw < self.share(since)
