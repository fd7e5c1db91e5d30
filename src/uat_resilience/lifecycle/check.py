"""One health check: a function that is asked now and then, and what its answers have come to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import cast

import anyio
import anyio.lowlevel

from uat_resilience._core.hysteresis import HysteresisMachine, Probe, Status, StatusChange
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock
from uat_resilience.lifecycle.health_report import CheckReport
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.callables import is_async
from uat_resilience.policies.timeout import Timeout
from uat_resilience.telemetry.bus import EventBus

__all__ = ["Check", "Question", "Result"]

Question = Callable[[], object]
"""A check: sync or async. None and True mean healthy, False and any error unhealthy; or it returns a `Status`."""


@dataclass(frozen=True, slots=True)
class Result:
    """The latest answer of a check."""

    status: Status
    at: float
    elapsed: float
    error: str | None


class Check:
    """Ask one question under a timeout, and judge the answers with hysteresis.

    A question that hangs is cut (async), or left behind in its own worker thread (sync), which is asked again only
    once it has come back. Whatever a question raises stays here. Errors are kept by type only: their messages
    may hold secrets, and health pages are read by many.
    """

    def __init__(
        self,
        name: str,
        ask: Question,
        *,
        kind: Probe,
        critical: bool,
        timeout: float,
        judge: HysteresisMachine,
        clock: Clock | None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.critical = critical
        self.last: Result | None = None
        self._ask = ask
        self._async = is_async(ask)
        self._judge = judge
        self._lock = Lock()
        quiet = EventBus()  # The policies in here are tools of the check, not calls anybody counts.
        worker = Bulkhead(1, name=name, clock=clock, bus=quiet)
        self._timeout = Timeout(timeout, name=name, thread=worker, clock=clock, bus=quiet)

    @property
    def status(self) -> Status | None:
        """What its answers have come to; None before the first."""
        return self._judge.status

    def report(self, now: float) -> CheckReport:
        """Return what its answers have come to, and how the last of them came about."""
        last, kind, critical = self.last, self.kind, self.critical
        if last is None:
            return CheckReport(None, kind, critical, None, None, None)
        return CheckReport(self.status, kind, critical, now - last.at, last.elapsed, last.error)

    def run(self, clock: Clock) -> StatusChange | None:
        """Ask once from a thread."""
        began = clock.now()
        detached = current_deadline.set(None)
        try:
            answer = self._timeout.call(self._blocking)
            return self._settle(_status(answer), None, began, clock)
        except BaseException as error:  # noqa: BLE001 - in a thread of its own: unhealthy, nothing more
            return self._settle(Status.UNHEALTHY, error, began, clock)
        finally:
            current_deadline.reset(detached)

    async def arun(self, clock: Clock) -> StatusChange | None:
        """Ask once from a task."""
        began = clock.now()
        detached = current_deadline.set(None)
        try:
            if self._async:
                answer = await self._timeout.acall(self._awaited)
            else:
                answer = await anyio.to_thread.run_sync(
                    self._timeout.call, self._blocking, abandon_on_cancel=True
                )
            return self._settle(_status(answer), None, began, clock)
        except Exception as error:  # noqa: BLE001 - a check that raises is unhealthy, nothing more
            return self._settle(Status.UNHEALTHY, error, began, clock)
        except anyio.get_cancelled_exc_class() as error:
            # Goes on when it is the rounds that are cancelled. Otherwise the check waited for something that was,
            # and the group of the round would take it for its own end.
            await anyio.lowlevel.checkpoint_if_cancelled()
            return self._settle(Status.UNHEALTHY, error, began, clock)
        finally:
            current_deadline.reset(detached)

    def _blocking(self) -> object:
        return anyio.run(self._awaited) if self._async else self._ask()

    async def _awaited(self) -> object:
        answer = self._ask()
        return await cast("Awaitable[object]", answer) if isinstance(answer, Awaitable) else answer

    def _settle(
        self, status: Status, error: BaseException | None, began: float, clock: Clock
    ) -> StatusChange | None:
        now = clock.now()
        with self._lock:
            self.last = Result(
                status, now, now - began, None if error is None else type(error).__name__
            )
            return self._judge.record(status)


def _status(answer: object) -> Status:
    if isinstance(answer, Status):
        return answer
    return Status.HEALTHY if answer is None or answer is True else Status.UNHEALTHY
