"""A dependency at work in a kernel: its servers, its queue, and what its troubles do to them."""

from collections import deque
from math import inf
from random import Random  # noqa: TID251 - drawn from a seed

from uat_resilience.simulate.dependency import BrownOut, Dependency, DependencyError, Outage
from uat_resilience.simulate.kernel import TURN, Kernel, Task

__all__ = ["Service"]


class Job:
    """One call of the dependency. Its caller may have left, which the job need not notice."""

    __slots__ = ("caller", "error", "over", "queued", "served")

    def __init__(self, caller: Task) -> None:
        self.caller: Task | None = caller
        self.error: str | None = None
        self.queued = False
        self.served = False
        self.over = False


class Service:
    """Serve calls first come, first served.

    Args:
        model: What is served, how fast, and when not.
        kernel: Where it happens.
        seed: Where the drawing of lots begins.

    Attributes:
        calls: Calls it has been asked for.
        wasted: Calls it has worked on to the end although their callers had left.
        busy: Calls it works on now.
    """

    def __init__(self, model: Dependency, kernel: Kernel, seed: object) -> None:
        lots = Random(f"{seed}/dependency")  # noqa: S311 - lots, not secrets
        self._model = model
        self._kernel = kernel
        self._draw = lots.random
        self._sample = model.latency.sampler(lots)
        self._places = inf if model.queue is None else model.queue
        self._queue: deque[Job] = deque()
        self._waiting = 0
        self._serving: dict[Job, None] = {}
        self._active: list[Outage | BrownOut] = []
        self.calls = 0
        self.wasted = 0
        self._settle()
        for trouble in model.troubles:
            kernel.at_time(trouble.at, self._begin_trouble, trouble)
            kernel.at_time(trouble.at + trouble.lasts, self._end_trouble, trouble)

    @property
    def busy(self) -> int:
        """Calls it works on now."""
        return len(self._serving)

    @property
    def waiting(self) -> int:
        """Calls in its queue, those whose callers have left included."""
        return self._waiting

    async def attempt(self) -> None:
        """Be called once.

        Raises:
            DependencyError: It failed, or turned the call away.
        """
        task = self._kernel.current
        assert task is not None, "called by a task"  # noqa: S101 - for the type checkers
        job = Job(task)
        self.calls += 1
        if self._down:
            self._turn_away(job, "is down")
        elif len(self._serving) < self._servers:
            self._serve(job)
        elif self._waiting >= self._places:
            self._turn_away(job, "has no place left in its queue")
        else:
            job.queued = True
            self._queue.append(job)
            self._waiting += 1
        task.blocked_on = job
        try:
            await TURN
        except BaseException:
            self._left(job)
            raise
        if job.error is not None:
            raise DependencyError(f"the dependency {job.error}")

    def _turn_away(self, job: Job, why: str) -> None:
        job.error = why
        self._kernel.at_time(self._kernel.at + self._model.turning_away, self._end, job)

    def _serve(self, job: Job) -> None:
        job.queued, job.served = False, True
        self._serving[job] = None
        if self._errors and self._draw() < self._errors:
            job.error = "failed"
        kernel = self._kernel
        kernel.at_time(kernel.at + self._sample() * self._slower, self._end, job)

    def _end(self, job: Job) -> None:
        """Let the caller of a job go on, and begin the next one."""
        if job.over:
            return
        job.over = True
        if job.served:
            del self._serving[job]
            if self._queue:
                self._serve_next()
        caller = job.caller
        if caller is None:
            self.wasted += job.served
        else:
            self._kernel.resume(caller)

    def _serve_next(self) -> None:
        while self._queue and len(self._serving) < self._servers:
            job = self._queue.popleft()
            if not job.over:
                self._waiting -= 1
                self._serve(job)

    def _left(self, job: Job) -> None:
        """The caller of a job was cut."""
        job.caller = None
        if job.over or not self._model.notices:  # Over: it ended in the moment of the cut.
            return
        job.over = True
        if job.served:
            del self._serving[job]
            self._serve_next()
        elif job.queued:
            self._waiting -= 1

    def _begin_trouble(self, trouble: Outage | BrownOut) -> None:
        self._active.append(trouble)
        self._settle()
        if isinstance(trouble, Outage):
            self._crash()
        self._serve_next()

    def _end_trouble(self, trouble: Outage | BrownOut) -> None:
        self._active.remove(trouble)
        self._settle()
        self._serve_next()

    def _crash(self) -> None:
        """Fail all that is inside."""
        jobs = [*self._serving, *(job for job in self._queue if not job.over)]
        self._serving.clear()
        self._queue.clear()
        self._waiting = 0
        for job in jobs:
            job.error, job.served = "went down", False
            self._end(job)

    def _settle(self) -> None:
        """Work out what all that is going on amounts to."""
        brown = [each for each in self._active if isinstance(each, BrownOut)]
        self._down = len(brown) < len(self._active)
        self._slower, share, well = 1.0, 1.0, 1.0 - self._model.error_rate
        for each in brown:
            self._slower *= each.slower
            share *= each.capacity
            well *= 1.0 - each.error_rate
        self._errors = 1.0 - well
        servers = self._model.servers
        self._servers = inf if servers is None else float(round(servers * share))
