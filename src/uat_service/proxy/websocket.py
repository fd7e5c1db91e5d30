"""One WebSocket through the proxy: messages both ways, and each side learns how the other one ended it."""

import asyncio
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Close  # noqa: TC002 - read by those who ask for type hints
from websockets.typing import Subprotocol

from uat_resilience.integrations.serving.asgi_types import RawHeaders, Receive, Scope, Send
from uat_service.addresses import http_origin
from uat_service.proxy.errors import BrokenAnswerError, ProxyError, UnreachableError
from uat_service.proxy.headers import end_to_end
from uat_service.proxy.outgoing import raw_target, request_headers
from uat_service.proxy.target import Target

__all__ = ["Socket"]

LARGEST = 1 << 20
QUEUED = 16
_GOING_AWAY = 1001
_ABNORMAL = 1006
_BAD_GATEWAY = 1014
_NO_STATUS = 1005
_NORMAL = 1000
# They say how a connection ended that had no closing frame, so no closing frame may have them.
_UNSPEAKABLE = frozenset({_ABNORMAL, 1015})
_DISCARDED = frozenset({b"content-length", b"content-encoding"})


class Socket:
    """Pass one WebSocket on.

    Both directions are bounded: who is too slow to read lets the other side wait.

    Args:
        scope: The connection.
        receive: Where the client's messages come from.
        send: Where messages for it go.
        connect_timeout: Seconds for connection and handshake, above 0.
        largest: Bytes of a message of the upstream at most; a larger one ends the connection. The server that
            the client is connected to has a limit of its own for the other direction.
    """

    __slots__ = ("_connect_timeout", "_largest", "_receive", "_scope", "_send")

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        connect_timeout: float,
        largest: int = LARGEST,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._connect_timeout = connect_timeout
        self._largest = largest

    async def run(self, target: Target, *, announce: bool) -> None:
        """Connect to the upstream and pass messages on until one side ends it; then end the other one."""
        await self.begin()
        try:
            upstream = await self.open(target, announce=announce)
        except ProxyError:
            await self.refuse(502)
            return
        if upstream is not None:
            await self.relay(upstream)

    async def begin(self) -> None:
        """Take the client's wish to connect."""
        await self._receive()  # websocket.connect

    async def open(self, target: Target, *, announce: bool) -> ClientConnection | None:
        """Connect to the upstream; None when it refuses, which the client has been told then.

        Raises:
            UnreachableError: There is no connection to be had.
            BrokenAnswerError: What the upstream answers is no handshake.
        """
        try:
            return await self._connect(target, announce=announce)
        except InvalidStatus as error:
            answer = error.response
            raw = [(name.encode(), value.encode()) for name, value in answer.headers.raw_items()]
            await self.refuse(answer.status_code, raw, bytes(answer.body or b""))
            return None
        except (InvalidHandshake, InvalidURI) as error:
            raise BrokenAnswerError("the answer is no handshake") from error
        except OSError as error:
            raise UnreachableError(f"{target.origin} cannot be reached") from error

    async def relay(self, upstream: ClientConnection) -> None:
        """Accept the client, and pass messages on until one side ends it; then end the other one."""
        try:
            # Both sides may end it in the same moment: servers tell of a client that is gone by this error.
            with suppress(OSError):
                await self._accept(upstream)
                await self._pump(upstream)
        finally:
            upstream.transport.abort()  # After the closing handshake this changes nothing.

    async def refuse(
        self, status: int, headers: RawHeaders | None = None, body: bytes = b""
    ) -> None:
        """Refuse the connection, in the words of the upstream where the server can say them."""
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": _BAD_GATEWAY})
            return
        kept = end_to_end(headers or [], without=_DISCARDED)
        kept.append((b"content-length", b"%d" % len(body)))
        start = {"type": "websocket.http.response.start", "status": status, "headers": kept}
        await self._send(start)
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def _connect(self, target: Target, *, announce: bool) -> ClientConnection:
        headers = request_headers(self._scope, target, announce=announce)
        origin = http_origin("origin", target.origin)
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        scheme = "wss" if origin.scheme == "https" else "ws"
        path = raw_target(self._scope, target).decode("latin-1")
        return await _Connect(
            f"{scheme}://{hosts[0] if hosts else origin.written}{path}",
            host=origin.host,
            port=origin.port,
            additional_headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in headers
                if name != b"host" and not name.startswith(b"sec-websocket-")
            ],
            subprotocols=[Subprotocol(each) for each in self._scope["subprotocols"]] or None,
            compression=None,
            proxy=None,
            user_agent_header=None,
            open_timeout=self._connect_timeout,
            max_size=self._largest,
            max_queue=QUEUED,
            server_hostname=origin.host if scheme == "wss" else None,
        )

    async def _accept(self, upstream: ClientConnection) -> None:
        answer = upstream.response
        raw = [] if answer is None else list(answer.headers.raw_items())
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in raw
            if not name.lower().startswith("sec-websocket-")
        ]
        await self._send(
            {
                "type": "websocket.accept",
                "subprotocol": upstream.subprotocol,
                "headers": end_to_end(headers, without=frozenset({b"date", b"server"})),
            }
        )

    async def _pump(self, upstream: ClientConnection) -> None:
        """Pass messages both ways until one side is gone."""
        up = asyncio.create_task(self._upwards(upstream))
        down = asyncio.create_task(self._downwards(upstream))
        try:
            done, _ = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            await asyncio.wait((up, down))
        for task in done:
            task.result()

    async def _upwards(self, upstream: ClientConnection) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.receive":
                text = message.get("text")
                try:
                    await upstream.send(message["bytes"] if text is None else text)
                except ConnectionClosed:
                    await asyncio.Event().wait()  # The other direction says how it was closed.
            else:
                code = message.get("code", _NO_STATUS)
                # uvicorn says the same of a client that vanished and of one that closed without a code.
                if code == _NO_STATUS or code in _UNSPEAKABLE:
                    code = _GOING_AWAY
                await upstream.close(code, message.get("reason") or "")
                return

    async def _downwards(self, upstream: ClientConnection) -> None:
        end: Close | None = None
        while True:
            try:
                message = await upstream.recv()
            except ConnectionClosed as error:
                end = error.rcvd or error.sent
                break
            kind = "text" if isinstance(message, str) else "bytes"
            await self._send({"type": "websocket.send", kind: message})
        if end is None or end.code in _UNSPEAKABLE:
            # It broke: the client must not take that for an orderly end.
            code, reason = _BAD_GATEWAY, ""
        else:
            code, reason = (_NORMAL if end.code == _NO_STATUS else end.code), end.reason
        await self._send({"type": "websocket.close", "code": code, "reason": reason})


class _Connect(connect):
    """Goes where it is sent, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc
