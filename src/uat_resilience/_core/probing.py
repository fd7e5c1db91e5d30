"""Find the knee of the latency curve: limits that measure what a call takes when nobody queues.

Theory of operation
-------------------
Up to its capacity a dependency serves more calls at once in the same time; beyond it they queue, and every
further call only adds to the latency of all. How far a limit is beyond the knee is told by

    slowdown = latency / baseline          1 up to the knee, limit / capacity beyond it

so all depends on the baseline, the latency without a queue. The known algorithms take the least latency seen, or a
long average: the first is an accident, and the second learns in a long overload that slow is normal. Here it is
measured: the limit is halved for a moment, and again as long as that makes calls much faster (then the half was
in a queue too). What remains is the baseline, and the limit goes back to where it was.

Latencies are judged in rounds (see `rounds`): the mean of at least `samples` calls that all began under the
limit they speak for, and of at least as many as the limit: about two round trips of a busy dependency.

    STEADY       each round adjusts the limit by its slowdown; that is the algorithm's own business
    PROBING      the limit is halved until the baseline is found; if calls were much slower, it moves to the knee
    GROWING      a probe found no queue at all: half as much again each round, until there is one
    RECOVERING   drops have cost the limit more than half: each call that goes well gives one slot back, to
                 half of what it was, and GROWING does the rest (TCP's slow start)

A baseline is measured anew every `probe_every` rounds, and at once when it is doubtful: when calls are much
faster than it, or when the limit has halved or doubled since.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from uat_resilience._core.adaptive import Limits
from uat_resilience._core.arguments import at_least
from uat_resilience._core.rounds import Round

__all__ = ["Probing", "ProbingTuner"]

_BURST = 0.1  # Share of a round's calls that must be dropped before it says more than the background noise.
_CLEAR = 10  # Calls that must go well after an outage before the first slot comes back.
_CALM = 1.03  # Slowdown that is no queue yet.
_FASTER = 0.7  # Below this share of the reference, calls are much faster. Halving a full queue makes it 0.5.
_GROWTH = 1.5
_WEIGHT = 0.5  # Of a new baseline that is near the old one: the noise of several probes evens out.


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing(Limits):
    """What every algorithm is told that measures its baseline.

    Args:
        initial: Where the limit begins.
        minimum: Lowest limit, at least 1.
        maximum: Highest limit.
        backoff: Factor when a tenth of a round is dropped.
        samples: Calls judged together at least, at least 1. The mean of 50 has a seventh of the spread of one.
        probe_every: Rounds between measurements of the baseline, at least 1. One in 50 costs 1 % of the capacity.
    """

    samples: int = 50
    probe_every: int = 50

    def __post_init__(self) -> None:
        Limits.__post_init__(self)
        at_least("samples", self.samples, 1)
        at_least("probe_every", self.probe_every, 1)


class _Stage(Enum):
    STEADY = auto()
    PROBING = auto()
    GROWING = auto()
    RECOVERING = auto()


class ProbingTuner(ABC):
    """Rounds, drops and probes; subclasses say how a slowdown adjusts the limit.

    Not thread-safe: its owner locks.
    """

    __slots__ = (
        "_baseline", "_peak", "_probed_at", "_reference", "_round", "_rounds", "_setting", "_stage",
        "_target", "_unprobed", "limit",
    )  # fmt: skip

    def __init__(self, setting: Probing) -> None:
        self._setting = setting
        self._stage = _Stage.STEADY
        self._baseline: float | None = None
        self._reference = self._unprobed = 0.0
        self._rounds = 0
        # Where the limit belongs. While a probe runs, the limit itself is lower.
        self._target = self._peak = self._probed_at = float(setting.initial)
        self.limit = setting.initial
        self._begin_round(inf)

    @abstractmethod
    def _adjusted(self, limit: float, slowdown: float) -> float:
        """Return the limit after a round in which calls took `slowdown` times the baseline."""

    def record(self, now: float, rtt: float, inflight: int, *, dropped: bool) -> int:
        """Take a call that ended, and return the limit from now on."""
        judged = self._round
        if now > judged.full_at and not dropped:
            self._judge(judged.latency, judged.busiest)
            judged = self._begin_round(now)
        elif now < judged.since:
            # The first call of all: those that began before it ended found the queue still filling up. (Or a
            # clock with an earlier epoch took over.)
            judged = self._begin_round(now)
        if not judged.includes(now, rtt):
            return self.limit
        judged.busiest = max(judged.busiest, inflight)
        if dropped:
            judged.drops += 1
            if judged.drops >= _BURST * judged.size:
                self._shrink()
                self._begin_round(now)
        elif self._stage is _Stage.RECOVERING:
            judged.calls += 1
            self._recover(judged, now)
        else:
            judged.count(now, rtt)
        return self.limit

    def bound(self, minimum: int | None, maximum: int | None) -> int:
        """Keep the limit between other bounds from now on; return it, moved inside if need be.

        A measurement that runs goes on; where the limit belongs after it is moved inside.
        """
        self._setting = setting = self._setting.within(minimum, maximum)
        low, high = setting.minimum, setting.maximum
        self._target = min(max(self._target, low), high)
        self._peak = min(max(self._peak, low), high)
        before, self.limit = self.limit, min(max(self.limit, low), high)
        if self.limit != before:
            self._begin_round(inf)  # Begun by the next call that ends.
        return self.limit

    def _shrink(self) -> None:
        setting = self._setting
        self._target = max(setting.minimum, self._target * setting.backoff)
        if self._stage is _Stage.PROBING:
            self.limit = min(self.limit, int(self._target))
            return
        self.limit = int(self._target)
        outage = self._target < self._peak / 2
        self._stage = _Stage.RECOVERING if outage else _Stage.STEADY

    def _recover(self, judged: Round, now: float) -> None:
        calm = judged.calls >= _CLEAR and judged.drops < _BURST * judged.calls
        if calm and judged.busiest * 2 >= self.limit:
            self._target = min(self._target + 1, self._peak / 2)
            self.limit = int(self._target)
        if self._target >= self._peak / 2:
            self._stage = _Stage.GROWING
            self._begin_round(now)

    def _judge(self, latency: float, busiest: int) -> None:
        if self._stage is _Stage.PROBING:
            self._probed(latency)
            return
        if busiest * 2 < self.limit:
            return
        self._rounds += 1
        baseline = self._baseline
        if baseline is None or self._doubts(baseline, latency):
            self._probe(latency)
        elif self._stage is _Stage.STEADY:
            self._aim(self._adjusted(self._target, latency / baseline))
        else:
            self._grow(latency / baseline)

    def _grow(self, slowdown: float) -> None:
        """Go on when there is no queue, or back to the knee when there is."""
        if slowdown <= _CALM:
            self._stage = _Stage.GROWING
            self._aim(self._target * _GROWTH)
        else:
            self._stage = _Stage.STEADY
            self._aim(self._target / slowdown)
        self._probed_at = self._target

    def _doubts(self, baseline: float, latency: float) -> bool:
        moved = not self._probed_at / 2 <= self._target <= self._probed_at * 2
        return (
            self._rounds >= self._setting.probe_every
            or latency < _FASTER * baseline
            or (moved and self._stage is _Stage.STEADY)
        )

    def _probe(self, latency: float) -> None:
        self._stage = _Stage.PROBING
        self._reference = self._unprobed = latency
        self.limit = max(self._setting.minimum, int(self._target / 2))

    def _probed(self, latency: float) -> None:
        if latency < _FASTER * self._reference and self.limit > self._setting.minimum:
            self._reference = latency
            self.limit = max(self._setting.minimum, self.limit // 2)
            return
        baseline = self._baseline
        if baseline is None or not _FASTER <= latency / baseline <= 1 / _FASTER:
            self._baseline = latency
        else:
            self._baseline = baseline + _WEIGHT * (latency - baseline)
        self._rounds = 0
        slowdown = self._unprobed / self._baseline
        if slowdown <= _CALM or slowdown >= 1 / _FASTER:
            self._grow(slowdown)
        else:
            self._stage = _Stage.STEADY
            self._aim(self._target)
            self._probed_at = self._target

    def _aim(self, limit: float) -> None:
        self._target = self._peak = min(max(limit, self._setting.minimum), self._setting.maximum)
        self.limit = int(self._target)

    def _begin_round(self, now: float) -> Round:
        self._round = Round(now, max(self._setting.samples, self.limit))
        return self._round
