"""Vegas: keep a few calls in the dependency's queue, counted instead of felt.

    queued = limit * (1 - 1 / slowdown)         calls that wait inside the dependency (Little's law)
    step   = log10(limit), at least 1

    queued <= step             limit + beta * step      nothing waits to speak of: hurry
    queued <  alpha * step     limit + step
    queued >  beta * step      limit - step
    in between                 the limit rests

TCP Vegas (Brakmo and Peterson, 1995) with its alpha of 1, and Netflix's steps that grow with the limit
(concurrency-limits, `VegasLimit`). A beta of 2 leaves it one step to rest in. TCP's 3 rests up to 10 % above a
capacity of 50, Netflix's 3 and 6 12 % above one of 100 and 40 % above one of 20. The baseline is measured (see
`probing`), where both take the least latency seen.
"""

from dataclasses import dataclass
from math import log10

from uat_resilience._core.adaptive import Tuner
from uat_resilience._core.arguments import number
from uat_resilience._core.probing import Probing, ProbingTuner

__all__ = ["Vegas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vegas(Probing):
    """Keep between `alpha` and `beta` steps of calls in the dependency's queue.

    It rests where the queue is short enough instead of searching on, so it is calmer than `Gradient2` and slower
    after a change. In simulation it rests within a tenth of capacities from 20 up, two slots above smaller ones.
    TCP Vegas (Brakmo and Peterson, 1995), with the steps of Netflix's concurrency-limits.

    Frozen, and safe to share: each limiter learns for itself.

    Args:
        initial: Where the limit begins. Twenty is enough to learn from and little enough to survive.
        minimum: Lowest limit, at least 1: without a call there is nothing to learn from.
        maximum: Highest limit: what this side can bear, whatever the other one can.
        backoff: Factor when a tenth of a round is dropped, at least 0.5 and below 1. Netflix's 0.9.
        samples: Calls judged together at least, at least 1. The mean of 50 has a seventh of the spread of one.
        probe_every: Rounds between measurements of the baseline, at least 1. One in 50 costs 1 % of the capacity.
        alpha: Steps of queue below which the limit grows, at least 1. TCP's.
        beta: Steps of queue above which it shrinks, at least `alpha`. TCP's 3 rests up to a tenth too high.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    alpha: float = 1.0
    beta: float = 2.0

    def __post_init__(self) -> None:
        Probing.__post_init__(self)
        rule = "a number of at least 1"
        if number("alpha", self.alpha, rule) < 1:
            raise ValueError(f"alpha must be {rule}, not {self.alpha!r}")
        rule = f"a number of at least alpha ({self.alpha})"
        if number("beta", self.beta, rule) < self.alpha:
            raise ValueError(f"beta must be {rule}, not {self.beta!r}")

    def tuner(self) -> Tuner:
        """Return a limit at its beginning."""
        return _VegasTuner(self)


class _VegasTuner(ProbingTuner):
    __slots__ = ("_vegas",)

    def __init__(self, setting: Vegas) -> None:
        super().__init__(setting)
        self._vegas = setting

    def _adjusted(self, limit: float, slowdown: float) -> float:
        alpha, beta = self._vegas.alpha, self._vegas.beta
        step = max(1.0, log10(limit))
        queued = limit * (1 - 1 / slowdown)
        if queued <= step:
            return limit + beta * step
        if queued < alpha * step:
            return limit + step
        if queued > beta * step:
            return limit - step
        return limit
