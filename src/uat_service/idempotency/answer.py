"""Both sides of an application that is run between a request that was read and an answer that is kept."""

from uat_resilience.integrations.serving.asgi_types import Message, Receive, Send
from uat_service.idempotency.records import Reply

__all__ = ["Answer", "Replay"]


class Replay:
    """Gives the application the body that was read already, and then what the client does."""

    def __init__(self, receive: Receive, body: bytes) -> None:
        self._receive = receive
        self._body: bytes | None = body

    async def __call__(self) -> Message:
        """Return the next message."""
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": False}


class Answer:
    """Takes the answer of the application; passes it on when it is too large to be kept."""

    def __init__(self, send: Send, *, largest: int) -> None:
        self._send = send
        self._largest = largest
        self._start: Message | None = None
        self._body = bytearray()
        self._passing = self._complete = False

    @property
    def reply(self) -> Reply | None:
        """The whole answer, or None when it was passed on or never came to its end."""
        if self._start is None or self._passing or not self._complete:
            return None
        headers = [(bytes(name), bytes(value)) for name, value in self._start.get("headers", ())]
        return Reply(self._start["status"], headers, bytes(self._body))

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if self._passing:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        elif self._start is not None:
            self._body += message.get("body", b"")
            self._complete = not message.get("more_body", False)
            if len(self._body) > self._largest:
                self._passing = True
                await self._send(self._start)
                await self._send({**message, "body": bytes(self._body)})
