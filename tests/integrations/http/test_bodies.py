"""Bodies of answers whose deadline has passed while they were read."""

from collections.abc import Generator, Iterator
from typing import Any

import httpx
import httpx2
import pytest

from uat_resilience import TimedOutError, Timeout
from uat_resilience.integrations import httpx as for_httpx
from uat_resilience.integrations import httpx2 as for_httpx2
from uat_resilience.testing import FakeClock

both = pytest.mark.parametrize(("library", "module"), [(httpx, for_httpx), (httpx2, for_httpx2)])


@pytest.fixture
def clock() -> Generator[FakeClock]:
    """Stands still."""
    with FakeClock() as clock:
        yield clock


def opened(library: Any, module: Any, headers: dict[str, str]) -> Iterator[bytes]:
    """Return the parts of a body of two bytes, read under a deadline of ten seconds."""

    def parts() -> Iterator[bytes]:
        yield b"o"
        yield b"k"

    inner = library.MockTransport(lambda _: library.Response(200, headers=headers, content=parts()))
    transport = module.ResilientTransport(Timeout(10.0, thread=False), inner=inner)
    with (
        library.Client(transport=transport) as client,
        client.stream("GET", "http://service/") as answer,
    ):
        yield from answer.iter_raw()


@both
def test_end_of_a_body_that_is_all_there_is_found_after_the_deadline(
    clock: FakeClock, library: Any, module: Any
) -> None:
    body = opened(library, module, {"Content-Length": "2"})
    read = [next(body), next(body)]
    clock.advance(10.0)

    rest = list(body)

    assert (read, rest) == ([b"o", b"k"], [])


@both
@pytest.mark.parametrize("headers", [{"Content-Length": "2"}, {}], ids=["known", "unknown"])
def test_body_that_is_not_all_there_is_late_after_the_deadline(
    clock: FakeClock, library: Any, module: Any, headers: dict[str, str]
) -> None:
    body = opened(library, module, headers)
    next(body)
    clock.advance(10.0)

    with pytest.raises(TimedOutError) as missed:
        next(body)

    assert isinstance(missed.value, library.TimeoutException)
