"""A piece of work that a shutdown waits for, and whose pauses it wakes."""

from collections.abc import Callable
from contextvars import Token  # noqa: TC003 - read by those who ask for type hints
from types import TracebackType
from typing import Self

from uat_resilience.ambient import DrainSignal, current_drain

__all__ = ["Tracked"]


class Tracked:
    """A block that counts as work. It may be entered in one task and left in another.

    Attributes:
        signal: Is set when the work had better come to an end.
    """

    __slots__ = ("_enter", "_leave", "_token", "signal")

    def __init__(
        self, enter: Callable[[], None], leave: Callable[[], None], signal: DrainSignal
    ) -> None:
        self._enter = enter
        self._leave = leave
        self.signal = signal
        self._token: Token[DrainSignal | None] | None = None  # While it is entered.

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("a tracked block is entered once at a time: call track() again")
        self._enter()
        self._token = current_drain.set(self.signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        token, self._token = self._token, None
        if token is None:  # Left already: it is counted once.
            return
        # It may have been entered in another task, whose context is not ours to reset.
        try:  # noqa: SIM105 - `suppress` takes three times as long, for each request of a service
            current_drain.reset(token)
        except ValueError:
            pass
        self._leave()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
