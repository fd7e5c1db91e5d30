"""Attempts for blocks: what iterating a `Retry` gives.

The loop asks for an attempt, the block runs under it, and how the block ended decides whether the loop gets
another one. The pause lies between two attempts, in the loop, so that the block is long left by then.
"""

from types import TracebackType
from typing import Self

from uat_resilience.policies.retry_run import RetryRun

__all__ = ["AsyncAttempts", "Attempt", "Attempts"]


class Attempt:
    """One attempt at a block: `with attempt: ...`.

    Attributes:
        number: Counted from 1.
        previous_error: What the attempt before raised, or None.
    """

    __slots__ = (
        "_result",
        "_results",
        "_run",
        "_settled",
        "error",
        "number",
        "pause",
        "previous_error",
    )

    def __init__(self, run: RetryRun, previous_error: Exception | None) -> None:
        self.number = run.attempts
        self.previous_error = previous_error
        self.error: Exception | None = None
        self.pause: float | None = None
        self._run = run
        self._settled = False
        self._result: object = None
        self._results = False

    def result(self, value: object) -> None:
        """Say what the block resulted in, so that `on_result` can judge it when the block ends."""
        self._results = True
        self._result = value

    def __enter__(self) -> Self:
        if self._settled:
            raise RuntimeError("an attempt guards one block: the loop gives the next")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._settled = True
        if isinstance(error, Exception):
            self.pause = self._run.after_error(error)
            self.error = error
            return self.pause is not None
        if error is not None:
            self._run.interrupted()
        elif self._results:
            self.pause = self._run.after_result(self._result)
        else:
            self._run.ended()
        return False

    @property
    def settled(self) -> bool:
        """True when its block was run."""
        return self._settled

    @property
    def discarded(self) -> object:
        """The result to throw away before the next attempt, or None."""
        return self._result


class _Loop:
    """What the two loops share."""

    __slots__ = ("_attempt", "_run")

    def __init__(self, run: RetryRun) -> None:
        self._run = run
        self._attempt: Attempt | None = None

    def _next(self, previous: Attempt | None) -> Attempt:
        self._attempt = Attempt(self._run, None if previous is None else previous.error)
        return self._attempt


def _pause_after(attempt: Attempt) -> float | None:
    if not attempt.settled:
        raise RuntimeError("an attempt guards nothing by itself: write `with attempt:` in the loop")
    return attempt.pause


class Attempts(_Loop):
    """The attempts of one run in sync code."""

    __slots__ = ()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Attempt:
        last = self._attempt
        if last is None:
            return self._next(None)
        pause = _pause_after(last)
        if pause is None:
            raise StopIteration
        if self._run.pause(pause, last.error, discarded=last.discarded):
            return self._next(last)
        if last.error is not None:
            raise last.error
        raise StopIteration


class AsyncAttempts(_Loop):
    """The attempts of one run in async code."""

    __slots__ = ()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        last = self._attempt
        if last is None:
            return self._next(None)
        pause = _pause_after(last)
        if pause is None:
            raise StopAsyncIteration
        if await self._run.apause(pause, last.error, discarded=last.discarded):
            return self._next(last)
        if last.error is not None:
            raise last.error
        raise StopAsyncIteration
