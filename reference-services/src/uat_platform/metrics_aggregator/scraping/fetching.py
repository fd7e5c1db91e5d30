"""Reading an answer as it comes, line by line and up to a limit."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import anyio.lowlevel
import httpx2

from uat_resilience.integrations.cookies import no_cookies

__all__ = ["Fetcher", "ScrapeError"]

_TEXT = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
_JSON = "application/json"
_MOST_JSON = 1 << 20
_LONGEST_LINE = 65_536
_OK = 200


class ScrapeError(Exception):
    """A target has answered, but not with what was asked for."""


class Fetcher:
    """Ask targets. Belongs to one event loop.

    Deadlines are the caller's business: nothing here ends by itself.

    Args:
        caller: What goes out as `User-Agent`.
        most: Bytes of metrics that are read at most; the rest of a longer answer is not looked at.
    """

    def __init__(self, *, caller: str, most: int) -> None:
        self._most = most
        limits = httpx2.Limits(max_connections=None, keepalive_expiry=4.0)
        transport = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._client = httpx2.AsyncClient(
            transport=transport,
            timeout=httpx2.Timeout(None),
            headers={"User-Agent": caller},
            trust_env=False,
            cookies=no_cookies(),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def lines(self, url: str, *, seconds: float) -> AsyncIterator[list[str]]:
        """Yield the lines of an answer as they come, some at a time.

        Others have their turn after each. Ends with a single empty list when there was more than the limit.

        Args:
            url: Whom to ask.
            seconds: What the target is told that it has.

        Raises:
            ScrapeError: The answer is not 200.
            httpx2.HTTPError: There is none.
        """
        told = {"Accept": _TEXT, "X-Prometheus-Scrape-Timeout-Seconds": f"{seconds:g}"}
        read, rest = 0, b""
        async with self._client.stream("GET", url, headers=told) as answer:
            _check(answer)
            async for part in answer.aiter_bytes():
                read += len(part)
                *whole, rest = (rest + part).split(b"\n")
                yield [line.decode("utf-8", "replace") for line in whole]
                if read > self._most or len(rest) > _LONGEST_LINE:
                    yield []
                    return
                await anyio.lowlevel.checkpoint()
        yield [rest.decode("utf-8", "replace")]

    async def json(self, url: str) -> Any:  # noqa: ANN401 - JSON of somebody else
        """Return what another page of a target says.

        Raises:
            ScrapeError: It is not there, too long, or no JSON.
            httpx2.HTTPError: There is no answer.
        """
        body = b""
        async with self._client.stream("GET", url, headers={"Accept": _JSON}) as answer:
            # A page about health is worth reading when it says that there is none.
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                _check(answer)
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MOST_JSON:
                    raise ScrapeError("the answer is too long")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ScrapeError("the answer is no JSON, or nested too deeply") from error


def _check(answer: httpx2.Response) -> None:
    if answer.status_code != _OK:
        raise ScrapeError(f"server returned HTTP status {answer.status_code}")
