"""The dialect of httpx2: its requests, its answers with what is held for their bodies, its errors.

Its twin, for the other line of the library, reads the same but for the name.
"""

from collections.abc import AsyncIterator, Iterator

import httpx2

from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.body import aread, read
from uat_resilience.integrations.http.dialect import Dialect
from uat_resilience.integrations.http.kin import Kinship
from uat_resilience.integrations.http.repeating import Repeat, repeat_of

__all__ = ["DIALECT", "AsyncBody", "Body", "repeat"]


class Body(httpx2.SyncByteStream):
    """A body, and what is held for it."""

    def __init__(self, stream: httpx2.SyncByteStream, answer: Answer, length: str | None) -> None:
        self._stream = stream
        self._length = length
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        """Read it within its deadline."""
        late = httpx2.TimeoutException
        return read(self._stream, self.answer, _KINSHIP, late=late, length=self._length)

    def close(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            self._stream.close()
        finally:
            self.answer.leave()


class AsyncBody(httpx2.AsyncByteStream):
    """A body, and what is held for it."""

    def __init__(self, stream: httpx2.AsyncByteStream, answer: Answer, length: str | None) -> None:
        self._stream = stream
        self._length = length
        self.answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it within its deadline."""
        return aread(self._stream, self.answer, _KINSHIP, length=self._length)

    async def aclose(self) -> None:
        """Close it, and give back what is held for it."""
        try:
            await self._stream.aclose()
        finally:
            self.answer.leave()


def repeat(request: httpx2.Request) -> Repeat:
    """Return when a request may be sent again."""
    replayable = isinstance(request.stream, httpx2.ByteStream)
    return repeat_of(request.method, request.headers.get, replayable=replayable)


def _answer(response: httpx2.Response) -> Answer | None:
    body = response.stream
    return body.answer if isinstance(body, Body | AsyncBody) else None


_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_UNWELL = (
    httpx2.TimeoutException,
    httpx2.NetworkError,
    httpx2.RemoteProtocolError,
    httpx2.ProxyError,
)
_KINSHIP = Kinship(
    refused=httpx2.TransportError,
    timed_out=httpx2.TimeoutException,
    attributes={"_request": None},
)
DIALECT: Dialect[httpx2.Request, httpx2.Response] = Dialect(
    host=lambda request: request.url.netloc.decode("ascii"),
    repeat=repeat,
    status=lambda response: response.status_code,
    header=lambda response, name: response.headers.get(name),
    answer=_answer,
    unwell=lambda error: isinstance(error, _UNWELL) and not isinstance(error, httpx2.PoolTimeout),
    unsent=lambda error: isinstance(error, _UNSENT),
    kinship=_KINSHIP,
)
