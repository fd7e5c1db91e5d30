"""The body of an answer in httpx's terms, and what is held for it until it ends."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.body import aread, read
from uat_resilience.integrations.http.kin import Kinship

__all__ = ["AsyncHeldBody", "HeldBody"]


class HeldBody:
    """A body that is read in sync code.

    Args:
        stream: Where it comes from.
        answer: What is held for it.
        length: The answer's Content-Length, or None.
        kinship: Makes errors of ours also the library's.
    """

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - one of the library's, whichever that is
        answer: Answer,
        *,
        length: str | None,
        kinship: Kinship,
    ) -> None:
        self._stream = stream
        self._length = length
        self._kinship = kinship
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        """Read it within its deadline."""
        kinship = self._kinship
        return read(self._stream, self.answer, kinship, late=kinship.timed_out, length=self._length)

    def close(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            self._stream.close()
        finally:
            self.answer.leave()


class AsyncHeldBody:
    """A body that is read in async code. Args are those of `HeldBody`."""

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - one of the library's, whichever that is
        answer: Answer,
        *,
        length: str | None,
        kinship: Kinship,
    ) -> None:
        self._stream = stream
        self._length = length
        self._kinship = kinship
        self.answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it within its deadline."""
        return aread(self._stream, self.answer, self._kinship, length=self._length)

    async def aclose(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            await self._stream.aclose()
        finally:
            self.answer.leave()
