"""A permit: one block of code under a policy, in place of one function."""

from abc import ABC, abstractmethod
from enum import Enum, auto
from types import TracebackType
from typing import Self

__all__ = ["ENTERING", "INSIDE", "Permit", "Verdict"]

# How far a permit is; numbers, as a name is read ten times as fast as the member of an enum (CPython 3.11).
_FRESH, ENTERING, INSIDE, _LEFT = range(4)


class Verdict(Enum):
    """What a block has said about itself."""

    SUCCESS = auto()
    FAILURE = auto()
    ABANDONED = auto()


class Permit(ABC):
    """Guards one block. Taken on entering, given back on leaving, whichever way that happens.

    It may be entered in one task and left in another. What the block says with `success()`, `failure()` or
    `abandon()` goes before what its end would say; the first word counts. It is given back once, however often it
    is left.
    """

    __slots__ = ("_stage", "_verdict")

    def __init__(self) -> None:
        self._stage = _FRESH
        self._verdict: Verdict | None = None

    def success(self) -> None:
        """Say that the call succeeded, even if the block raises."""
        self._say(Verdict.SUCCESS)

    def failure(self) -> None:
        """Say that the call failed, even if the block ends well."""
        self._say(Verdict.FAILURE)

    def abandon(self) -> None:
        """Say that the call tells nothing about the dependency."""
        self._say(Verdict.ABANDONED)

    def __enter__(self) -> Self:
        if self._stage:
            raise self._entered_twice()
        self._stage = ENTERING
        self._take()
        self._stage = INSIDE
        return self

    async def __aenter__(self) -> Self:
        if self._stage:
            raise self._entered_twice()
        self._stage = ENTERING
        await self._atake()
        self._stage = INSIDE
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stage == INSIDE:
            self._stage = _LEFT
            self._give_back(self._verdict, error)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stage == INSIDE:
            self._stage = _LEFT
            self._give_back(self._verdict, error)

    @abstractmethod
    def _take(self) -> None:
        """Get in, or raise a refusal. May block."""

    @abstractmethod
    async def _atake(self) -> None:
        """Get in, or raise a refusal. May suspend."""

    @abstractmethod
    def _give_back(self, verdict: Verdict | None, error: BaseException | None) -> None:
        """Settle the block by its verdict, or else by how it ended. Must not wait."""

    def _say(self, verdict: Verdict) -> None:
        if self._verdict is None:
            self._verdict = verdict

    def _entered_twice(self) -> RuntimeError:
        return RuntimeError("a permit guards one block: call permit() again for the next")
