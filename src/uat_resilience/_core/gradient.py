"""Gradient2: move the limit by how much slower calls are than they could be.

    gradient = clamp(tolerance * baseline / latency, 0.5, 1.2)
    limit    = (1 - smoothing) * limit + smoothing * (limit * gradient + queue)

The form is Netflix's (concurrency-limits, `Gradient2Limit`); it comes to rest at `tolerance * capacity + queue`.
What differs, and why:

*   The baseline is measured (see `probing`). Netflix's is an average of the last 600 calls, which a long overload
    pulls up until slow is normal.
*   Such a baseline needs no slack for its own drift, so `tolerance` is 1.05 where Netflix has 1.5, and `queue` is
    1 where it has 4: with those the limit rests 54 above a capacity of 100, with these 6.
*   The gradient may pass 1. Cut off there, noise could only ever pull the limit down.
*   Drops shrink the limit. Netflix ignores them, so that calls that fail fast raise it.
"""

from dataclasses import dataclass

from uat_resilience._core.adaptive import Tuner
from uat_resilience._core.arguments import fraction, number, positive
from uat_resilience._core.probing import Probing, ProbingTuner

__all__ = ["Gradient2"]

_STEEPEST = 0.5
_FLATTEST = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradient2(Probing):
    """Move the limit by how much slower calls are than without a queue.

    The default: for dependencies that queue, as nearly all do. In simulation it rests within a tenth of capacities
    from 20 up, whether all calls take exactly as long or differ by half, and two slots above smaller ones. The
    form is that of Netflix's concurrency-limits, with a baseline that is measured.

    Frozen, and safe to share: each limiter learns for itself.

    Args:
        initial: Where the limit begins. Twenty is enough to learn from and little enough to survive.
        minimum: Lowest limit, at least 1: without a call there is nothing to learn from.
        maximum: Highest limit: what this side can bear, whatever the other one can.
        backoff: Factor when a tenth of a round is dropped, at least 0.5 and below 1. Netflix's 0.9.
        samples: Calls judged together at least, at least 1. The mean of 50 has a seventh of the spread of one.
        probe_every: Rounds between measurements of the baseline, at least 1. One in 50 costs 1 % of the capacity.
        tolerance: Slowdown that is put up with, at least 1. Netflix's 1.5 rests far above the capacity.
        smoothing: Weight of the newest round, above 0 and up to 1. Netflix's 0.2.
        queue: Calls aimed to be in the dependency's queue, above 0: the limit must press a little to feel
            that there is room.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    tolerance: float = 1.05
    smoothing: float = 0.2
    queue: float = 1.0

    def __post_init__(self) -> None:
        Probing.__post_init__(self)
        rule = "a number of at least 1"
        if number("tolerance", self.tolerance, rule) < 1:
            raise ValueError(f"tolerance must be {rule}, not {self.tolerance!r}")
        fraction("smoothing", self.smoothing)
        positive("queue", self.queue)

    def tuner(self) -> Tuner:
        """Return a limit at its beginning."""
        return _GradientTuner(self)


class _GradientTuner(ProbingTuner):
    __slots__ = ("_gradient",)

    def __init__(self, setting: Gradient2) -> None:
        super().__init__(setting)
        self._gradient = setting

    def _adjusted(self, limit: float, slowdown: float) -> float:
        setting = self._gradient
        gradient = min(max(setting.tolerance / slowdown, _STEEPEST), _FLATTEST)
        wanted = limit * gradient + setting.queue
        return limit + setting.smoothing * (wanted - limit)
