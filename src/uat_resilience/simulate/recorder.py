"""Counts what happens while a simulation runs, one stretch of time after the other."""

from array import array
from collections import Counter
from collections.abc import Coroutine
from contextvars import Context

from uat_resilience.errors import CallRefusedError, ResilienceError
from uat_resilience.simulate.dependency import DependencyError
from uat_resilience.simulate.figures import Bucket, Endings, Latencies
from uat_resilience.simulate.kernel import Kernel, Task
from uat_resilience.simulate.result import Result
from uat_resilience.simulate.service import Service
from uat_resilience.simulate.workload import Workload
from uat_resilience.telemetry.events import (  # noqa: TC001 - as everywhere
    BreakerStateChanged,
    LimitChanged,
)

__all__ = ["Call", "Recorder"]


class Call(Task):
    """A call on its way, counted when it begins and when it ends.

    The path of every call leads through here, so what could be methods of the recorder is spelled out.
    """

    __slots__ = ("_began", "_recorder")

    def __init__(self, coroutine: Coroutine[object, None, object], recorder: "Recorder") -> None:
        self.coroutine = coroutine
        self.context = Context()
        self.blocked_on = None
        self.cut = None
        self._recorder = recorder
        self._began = recorder.kernel.at
        recorder.under_way += 1
        recorder.arrivals += 1

    def ended(self, error: BaseException | None) -> None:
        """Count how it ended.

        Raises:
            Exception: The one it ended with, when that was to be expected of nobody.
        """
        recorder = self._recorder
        recorder.under_way -= 1
        recorder.last_end = now = recorder.kernel.at
        if error is not None:
            recorder.failed(error)
            return
        took = now - self._began
        recorder.answered.append(took)
        if took <= recorder.patience:
            recorder.good += 1


class Recorder:
    """Count arrivals, endings and latencies.

    Args:
        kernel: Where it happens.
        service: What is called.
        workload: What is asked.
        seconds: Length of a stretch of time.
        expected: Errors that calls may end with besides the dependency's and the library's.

    Attributes:
        breaker_changes: What the breakers have told.
        limit_changes: What the adaptive limiters have told.
        under_way: Calls that have begun and not ended.
    """

    def __init__(
        self,
        kernel: Kernel,
        service: Service,
        workload: Workload,
        *,
        seconds: float,
        expected: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self.kernel = kernel
        self._service = service
        self._workload = workload
        self._seconds = seconds
        self._expected = (DependencyError, ResilienceError, expected)
        self.patience = float("inf") if workload.deadline is None else workload.deadline
        self._buckets: list[Bucket] = []
        self._kinds: Counter[type[BaseException]] = Counter()
        self._latencies: list[float] = []
        self._calls = 0
        self.last_end = 0.0
        self.breaker_changes: list[BreakerStateChanged] = []
        self.limit_changes: list[LimitChanged] = []
        self.under_way = 0
        self._begin_bucket()

    def failed(self, error: BaseException) -> None:
        """Count a call that was refused or has failed."""
        if not isinstance(error, self._expected):
            raise error
        self._kinds[type(error)] += 1
        if isinstance(error, CallRefusedError):
            self._refused += 1
        else:
            self._failed += 1

    def result(self, title: str) -> Result:
        """Return what was found."""
        self._close_bucket()
        buckets = self._buckets
        endings = [bucket.endings for bucket in buckets]
        self._latencies.sort()
        return Result(
            title=title,
            duration=self._workload.duration,
            ended=self.last_end,
            arrivals=sum(bucket.arrivals for bucket in buckets),
            endings=Endings(
                sum(each.good for each in endings),
                sum(each.late for each in endings),
                sum(each.failed for each in endings),
                sum(each.refused for each in endings),
            ),
            kinds=tuple((kind.__name__, times) for kind, times in self._kinds.most_common()),
            calls=self._service.calls,
            wasted=self._service.wasted,
            latencies=Latencies.of(self._latencies),
            buckets=tuple(buckets),
            breaker_changes=tuple(self.breaker_changes),
            limit_changes=tuple(self.limit_changes),
        )

    def _begin_bucket(self) -> None:
        self.arrivals = self.good = self._failed = self._refused = 0
        self.answered = array("d")
        # Counted in whole stretches, so that the edges do not drift.
        self.kernel.at_edge((len(self._buckets) + 1) * self._seconds, Recorder._tick, self)

    def _tick(self) -> None:
        going_on = self.under_way and not self.kernel.idle
        if going_on or self.kernel.at < self._workload.duration:
            self._close_bucket()
            self._begin_bucket()

    def _close_bucket(self) -> None:
        ordered = sorted(self.answered)
        self._latencies += ordered  # Runs in order, which the last sort only has to merge.
        calls = self._service.calls - self._calls
        self._calls = self._service.calls
        self._buckets.append(
            Bucket(
                at=len(self._buckets) * self._seconds,
                seconds=self._seconds,
                arrivals=self.arrivals,
                endings=Endings(self.good, len(ordered) - self.good, self._failed, self._refused),
                calls=calls,
                queue=self._service.waiting,
                busy=self._service.busy,
                latencies=Latencies.of(ordered),
            )
        )
