"""Ask an ASGI application in this process, as a server would: for tests on virtual time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from uat_resilience.integrations.serving.asgi_types import App, Message


@dataclass
class Reply:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Asked:
    """One request to an application, and the messages it has sent so far."""

    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)
    sent: list[Message] = field(default_factory=list)

    async def to(self, app: App) -> "Asked":
        """Call the application."""
        scope = {
            "type": "http",
            "method": "GET",
            "http_version": "1.1",
            "path": self.path,
            "headers": [(k.lower().encode(), v.encode()) for k, v in self.headers.items()],
            **self.scope,
        }
        await app(scope, self._receive, self._send)
        return self

    @property
    def reply(self) -> Reply:
        """The answer; there must be exactly one, and whole."""
        starts = [each for each in self.sent if each["type"] == "http.response.start"]
        assert len(starts) == 1, self.sent
        bodies = [each for each in self.sent if each["type"] == "http.response.body"]
        assert not bodies[-1].get("more_body", False)
        headers = [(k.decode(), v.decode()) for k, v in starts[0]["headers"]]
        assert len(headers) == len(dict(headers)), f"a header came twice: {headers}"
        return Reply(starts[0]["status"], dict(headers), b"".join(each["body"] for each in bodies))

    async def _receive(self) -> Message:
        if not self.sent:
            return {"type": "http.request", "body": b"", "more_body": False}
        return await anyio.sleep_forever()

    async def _send(self, message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        self.sent.append(message)


async def ask(app: App, path: str = "/", **headers: str) -> Reply:
    """Ask for a path; headers are named like arguments."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await Asked(path, named).to(app)).reply


def answering(status: int = 200, body: bytes = b"done") -> App:
    """Return an application that answers like this."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, status, body)

    return app


def raising(error: BaseException) -> App:
    """Return an application that raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return app


async def answer(send: Any, status: int = 200, body: bytes = b"done") -> None:
    """Answer a request."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})
