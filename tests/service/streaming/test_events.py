"""Server-sent events: what goes over the wire, comments in silence, and the last event."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from uat_resilience import GracefulShutdown
from uat_resilience.integrations.asgi import ResilienceMiddleware
from uat_service.events import Event, EventStream

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "headers": [],
    "http_version": "1.1",
}


class Client:
    """Takes what is sent; leaves after so many seconds."""

    def __init__(self, *, stays: float = 1e9) -> None:
        self.sent: list[Any] = []
        self._stays = stays

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self._stays)  # noqa: TID251 - virtual time
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return not self.sent[-1].get("more_body", False)


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time


@pytest.mark.parametrize(
    ("event", "wire"),
    [
        (Event("hello"), b"data: hello\n\n"),
        (Event("two\r\nlines\nor\rmore"), b"data: two\ndata: lines\ndata: or\ndata: more\n\n"),
        (
            Event("x", event="price", id="7", retry=1.5),
            b"event: price\nid: 7\nretry: 1500\ndata: x\n\n",
        ),
        (Event(), b"data: \n\n"),
    ],
)
def test_an_event_is_written_as_the_standard_has_it(event: Event, wire: bytes) -> None:
    assert event.encoded() == wire


@pytest.mark.parametrize("field", ["event", "id"])
def test_a_line_break_in_a_field_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must have no line break"):
        Event("x", **{field: "a\ndata: forged"})


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"data": 5}, TypeError, "data must be a string"),
        ({"id": 5}, TypeError, "id must be a string"),
        ({"retry": -1.0}, ValueError, "retry must be a finite number of seconds, 0 or more"),
        (
            {"retry": float("nan")},
            ValueError,
            "retry must be a finite number of seconds, 0 or more",
        ),
    ],
)
def test_what_is_no_event_is_refused_where_it_is_made(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        Event(**arguments)


def test_what_cannot_be_a_stream_of_events_is_refused_where_it_is_made() -> None:
    events: Any = [Event("x")]
    last: Any = "bye"

    with pytest.raises(TypeError, match="source must be an async iterator"):
        EventStream(events)
    with pytest.raises(TypeError, match="last must be an Event"):
        EventStream(_nothing(), last=last)


async def _nothing() -> AsyncGenerator[Event]:
    return
    yield


async def test_events_are_sent_and_the_answer_ends_with_its_source() -> None:
    async def news() -> AsyncIterator[Event | str]:
        yield "one"
        yield Event("two", id="2")

    client = Client()

    await EventStream(news())(SCOPE, client.receive, client.send)

    assert client.body == b"data: one\n\nid: 2\ndata: two\n\n"
    assert client.ended
    assert (b"content-type", b"text/event-stream") in client.sent[0]["headers"]


async def test_silence_is_filled_with_comments() -> None:
    async def news() -> AsyncIterator[str]:
        yield "one"
        await pause(35)
        yield "two"

    client = Client()

    await EventStream(news(), keep_alive=15.0)(SCOPE, client.receive, client.send)

    assert client.body == b"data: one\n\n:\n\n:\n\ndata: two\n\n"


async def test_the_head_goes_out_when_there_is_nothing_to_tell_yet() -> None:
    async def news() -> AsyncIterator[str]:
        await pause(10)
        yield "one"

    client = Client(stays=5)

    await EventStream(news(), opening=1.0)(SCOPE, client.receive, client.send)

    assert client.sent[0]["status"] == 200
    assert client.body == b":\n\n"


async def test_a_source_that_fails_is_told_and_then_broken_off() -> None:
    async def news() -> AsyncIterator[str]:
        yield "one"
        raise ValueError("a secret")

    client = Client()

    with pytest.raises(ValueError, match="a secret"):
        await EventStream(news())(SCOPE, client.receive, client.send)

    assert client.body.startswith(b"data: one\n\nevent: error\n")
    assert b"secret" not in client.body
    assert not client.ended


async def test_a_source_that_fails_at_once_is_an_error_like_any_other() -> None:
    async def news() -> AsyncIterator[str]:
        raise ValueError("nothing")
        yield ""

    client = Client()

    with pytest.raises(ValueError, match="nothing"):
        await EventStream(news())(SCOPE, client.receive, client.send)

    assert client.sent == []


async def test_a_drain_ends_the_stream_with_a_last_event() -> None:
    cleaned: list[str] = []

    async def news() -> AsyncIterator[str]:
        try:
            yield "one"
            await pause(1e6)
        finally:
            await pause(1)
            cleaned.append("up")

    shutdown, client = GracefulShutdown(grace=10), Client()
    stream = EventStream(news(), last=Event("bye", event="shutdown", retry=2))
    app = ResilienceMiddleware(stream, shutdown=shutdown)
    serving = asyncio.create_task(app(SCOPE, client.receive, client.send))
    await pause(1)

    assert await shutdown.adrained()

    await serving
    assert cleaned == ["up"]
    assert client.body.endswith(b"event: shutdown\nretry: 2000\ndata: bye\n\n")
    assert client.ended


async def test_a_source_that_will_not_stop_says_nothing_after_the_last_event() -> None:
    async def news() -> AsyncIterator[str]:
        yield "one"
        try:
            await pause(1e6)
        except asyncio.CancelledError:
            yield "stubborn"

    shutdown, client = GracefulShutdown(grace=10), Client()
    app = ResilienceMiddleware(EventStream(news(), last=Event("bye")), shutdown=shutdown)
    serving = asyncio.create_task(app(SCOPE, client.receive, client.send))
    await pause(1)

    await shutdown.adrained()

    await serving
    assert client.ended
    assert sum(not message.get("more_body", True) for message in client.sent) == 1


async def test_a_client_that_leaves_ends_the_source() -> None:
    cleaned: list[str] = []

    async def news() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick"
                await pause(1)
        finally:
            await pause(1)
            cleaned.append("up")

    client = Client(stays=2.5)

    await EventStream(news())(SCOPE, client.receive, client.send)

    assert cleaned == ["up"]
    assert client.body == b"data: tick\n\n" * 3
