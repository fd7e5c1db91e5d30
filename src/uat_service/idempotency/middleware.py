"""Requests that may be sent again without being done again (`Idempotency-Key`).

    first                 runs; its answer is kept, and only then given
    while it runs         waits for it; in another process 409 with Retry-After
    afterwards            gets the same answer, with `Idempotent-Replayed: true`
    with another body     422: one key, two requests

An answer of 500 or more, a crash or a cancelled request is not kept, nor one that asks to come again (408, 425,
429): the next one runs.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import sha256
from secrets import token_hex

import anyio

from uat_resilience._core.arguments import at_least, callback_or_none, seconds
from uat_resilience.integrations.headers import IDEMPOTENCY_KEY, RETRY_AFTER, current_correlation
from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send, encoded
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, Problem
from uat_service.idempotency.answer import Answer, Replay
from uat_service.idempotency.records import Claim, Records, Reply
from uat_service.store.store import Store

__all__ = ["IdempotencyMiddleware"]

_KEY = IDEMPOTENCY_KEY.lower().encode("ascii")
_LONGEST = 255
_FAILED = 500
_NOT_NOW = frozenset({408, 425, 429})
_REPLAYED = (b"idempotent-replayed", b"true")

_BAD_KEY = Problem(
    400, "bad-idempotency-key", "The Idempotency-Key is not 1 to 255 visible characters"
)
_TOO_LARGE = Problem(
    413, "too-large", "The body is too large for a request with an Idempotency-Key"
)
_RUNNING = Problem(
    409, "still-running", "The request with this key is not done yet", headers=((RETRY_AFTER, "1"),)
)
_MISMATCH = Problem(422, "key-reused", "The Idempotency-Key was used for another request")


class IdempotencyMiddleware:
    """Run requests with an `Idempotency-Key` once, around any ASGI application.

    A key belongs to a caller, a method and a path: others may use the same one. Answers are kept whole, in memory
    first; one that is larger than `largest` is passed on and not kept.

    Belongs to the event loop of its store.

    Args:
        app: The application.
        store: Where answers are kept.
        ttl: Seconds for which they are, above 0. A day: clients that try again for longer have a queue.
        lease: Seconds, above 0, after which a request that has not ended counts as lost with its process. Longer
            than any request takes.
        patience: Seconds that a request waits for one with the same key, above 0.
        methods: Methods that keys are looked at for.
        largest: Bytes of a body, of request and answer, at most, at least 1.
        caller: Returns from the scope who asks. Default: by the `Authorization` header.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        app: App,
        store: Store,
        *,
        ttl: float = 86_400.0,
        lease: float = 120.0,
        patience: float = 10.0,
        methods: Collection[str] = ("POST", "PATCH"),
        largest: int = 1 << 20,
        caller: Callable[[Scope], str] | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app must be an ASGI application, not {app!r}")
        if not isinstance(store, Store):
            raise TypeError(f"store must be a Store, not {store!r}")
        if isinstance(methods, str):
            raise TypeError(f"methods must be a collection of methods, not the string {methods!r}")
        self._app = app
        self._records = Records(store, ttl=seconds("ttl", ttl), lease=seconds("lease", lease))
        self._patience = seconds("patience", patience)
        self._methods = frozenset(methods)
        self._largest = at_least("largest", largest, 1)
        self._caller = callback_or_none("caller", caller) or _authorization
        self._running: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it.

        Raises:
            StoreUnavailableError: The store is away. Nothing was done then, unless it went away while the
                application ran: then the answer is lost, and who asks again within `lease` is told to wait.
        """
        keys = (
            [value for name, value in scope["headers"] if name == _KEY]
            if scope["type"] == "http" and scope["method"] in self._methods
            else []
        )
        if not keys:
            await self._app(scope, receive, send)
            return
        key = keys[0]
        if len(keys) > 1 or not 0 < len(key) <= _LONGEST or not key.isascii() or b" " in key:
            await _refuse(_BAD_KEY, send)
            return
        body = await self._body(receive)
        if body is None:
            return
        if len(body) > self._largest:
            await _refuse(_TOO_LARGE, send)
            return
        place = [self._caller(scope).encode(), scope["method"].encode(), scope["raw_path"], key]
        await self._serve(scope, receive, send, _digest(*place), body)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, key: str, body: bytes
    ) -> None:
        fingerprint = _digest(scope["query_string"], body)
        owner = token_hex(16)
        while True:
            found = await self._records.claim(key, fingerprint, owner)
            if found is Claim.OURS:
                await self._run(scope, Replay(receive, body), send, key, owner)
                return
            if isinstance(found, Reply):
                if found.route is not None:
                    scope["path_template"] = found.route
                await _give(found, send, _REPLAYED)
                return
            if found is Claim.MISMATCH:
                await _refuse(_MISMATCH, send)
                return
            running = self._running.get(key)
            if running is None or not await self._over(running):
                await _refuse(_RUNNING, send)
                return

    async def _run(self, scope: Scope, receive: Replay, send: Send, key: str, owner: str) -> None:
        over = self._running[key] = asyncio.Event()
        answer = Answer(send, largest=self._largest)
        try:
            await self._recorded(scope, receive, answer, key, owner)
        finally:
            del self._running[key]
            over.set()
        if answer.reply is not None:
            await _give(answer.reply, send)

    async def _recorded(
        self, scope: Scope, receive: Replay, answer: Answer, key: str, owner: str
    ) -> None:
        """Serve a request, and keep the answer; without one to keep, the key is free again."""
        kept = False
        try:
            await self._app(scope, receive, answer.send)
            reply = answer.reply
            if reply is not None and reply.status < _FAILED and reply.status not in _NOT_NOW:
                reply = replace(reply, route=scope.get("path_template"))
                with anyio.CancelScope(shield=True):
                    await self._records.keep(key, owner, reply)
                    kept = True
        finally:
            if not kept:
                with anyio.CancelScope(shield=True):
                    await self._records.release(key, owner)

    async def _over(self, running: asyncio.Event) -> bool:
        with anyio.move_on_after(self._patience):
            await running.wait()
            return True
        return False

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the whole body, or a bit more than `largest` of it; None when the client is gone."""
        body, more = b"", True
        while more and len(body) <= self._largest:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body


async def _give(reply: Reply, send: Send, *further: tuple[bytes, bytes]) -> None:
    headers = [*reply.headers, *further]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _refuse(problem: Problem, send: Send) -> None:
    correlation = current_correlation.get()
    body = problem.body(None if correlation is None else correlation.request_id)
    length = ("Content-Length", str(len(body)))
    headers = encoded([("Content-Type", MEDIA_TYPE), length, *problem.headers])
    await _give(Reply(problem.status, headers, body), send)


def _authorization(scope: Scope) -> str:
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    return b",".join(found).decode("latin-1")


def _digest(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()
