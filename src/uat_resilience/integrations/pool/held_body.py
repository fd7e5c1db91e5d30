"""The body of an answer in httpx's terms, and what is held for it until it ends."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.body import aread, read
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.pool.request import Headers

__all__ = ["AsyncHeldBody", "HeldBody"]


class HeldBody:
    """A body that is read in sync code.

    Args:
        stream: Where it comes from.
        answer: What is held for it.
        headers: The answer's headers.
        kinship: Makes errors of ours also the library's.
    """

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - one of the library's, whichever that is
        answer: Answer,
        *,
        headers: Headers,
        kinship: Kinship,
    ) -> None:
        self._stream = stream
        self._headers = headers
        self._kinship = kinship
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        """Read it within its deadline."""
        kinship = self._kinship
        return read(self._stream, self.answer, kinship, late=kinship.timed_out, whole=self._whole)

    def close(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            self._stream.close()
        finally:
            self.answer.leave()

    def _whole(self, size: int) -> bool:
        return self._headers.get("content-length") == str(size)


class AsyncHeldBody:
    """A body that is read in async code. Args are those of `HeldBody`."""

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - one of the library's, whichever that is
        answer: Answer,
        *,
        headers: Headers,
        kinship: Kinship,
    ) -> None:
        self._stream = stream
        self._headers = headers
        self._kinship = kinship
        self.answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it within its deadline."""
        length = self._headers.get("content-length")
        return aread(self._stream, self.answer, self._kinship, length=length)

    async def aclose(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            await self._stream.aclose()
        finally:
            self.answer.leave()
