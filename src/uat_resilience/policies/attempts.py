"""Attempts for blocks: what iterating a `Retry` gives.

The loop asks for an attempt, the block runs under it, and how the block ended decides whether the loop gets
another one. The pause lies between two attempts, in the loop, so that the block is long left by then.
"""

from types import TracebackType
from typing import Self

from uat_resilience.policies.retry_run import RetryRun

__all__ = ["AsyncAttempts", "Attempt", "Attempts"]


class Attempt:
    """One attempt at a block: `with attempt: ...`, or `async with`, which is the same.

    Attributes:
        number: Counted from 1.
        previous_error: What the attempt before raised, or None. Let go when the block ends: an error holds
            the frames it came through, and with them the attempt.
    """

    __slots__ = (
        "_error",
        "_result",
        "_results",
        "_run",
        "_settled",
        "number",
        "pause",
        "previous_error",
    )

    def __init__(self, run: RetryRun, previous_error: Exception | None) -> None:
        self.number = run.attempts
        self.previous_error = previous_error
        self._error: Exception | None = None
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
        self._run.attempting()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._settled = True
        self.previous_error = None
        if isinstance(error, Exception):
            self.pause = self._run.after_error(error)
            if self.pause is None:
                return False
            self._error = error
            return True
        if error is None and self._results:
            self.pause = self._run.after_result(self._result)
            return False
        if error is not None:
            self._run.attempted(error)
            self._run.interrupted()
        else:
            self._run.ended()
        return False

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return self.__exit__(kind, error, trace)

    @property
    def settled(self) -> bool:
        """True when its block was run."""
        return self._settled

    def take_error(self) -> Exception | None:
        """Hand over the error to retry on, if there is one, and forget it."""
        error, self._error = self._error, None
        return error

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

    def _next(self, previous_error: Exception | None) -> Attempt:
        self._attempt = Attempt(self._run, previous_error)
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
        error = last.take_error()
        try:
            if self._run.pause(pause, error, discarded=last.discarded):
                return self._next(error)
            if error is not None:
                raise error
            raise StopIteration
        finally:
            del error  # Or the error and this frame would keep each other alive.


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
        error = last.take_error()
        try:
            if await self._run.apause(pause, error, discarded=last.discarded):
                return self._next(error)
            if error is not None:
                raise error
            raise StopAsyncIteration
        finally:
            del error  # Or the error and this frame would keep each other alive.
