"""Callers by API key: the authentication service is asked, and its answer believed for a while."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

import httpx2

from uat_platform.gateway.callers.caller import API_KEY, Caller
from uat_platform.gateway.callers.memory import Memory
from uat_resilience.errors import CallRefusedError
from uat_service.tokens import InvalidTokenError

__all__ = ["ApiKeys", "KeysUnavailableError"]

_LONGEST = 256
_WRONG_FOR = 5.0
_REFUSED = frozenset({400, 401, 403, 404})
_OK = 200


class KeysUnavailableError(CallRefusedError):
    """Nobody can say whose key it is: nothing is known of the caller. Answered with 503, never 401."""

    def _reason(self) -> str:
        return "cannot be asked for API keys"


class ApiKeys:
    """Tell who shows an API key. Belongs to one event loop.

    However many requests come with a key that is not known yet, the service is asked once; wrong keys are
    remembered too, for some seconds.

    Args:
        client: Calls the authentication service.
        lifetime: Seconds for which an answer is believed.
        most: Keys that are remembered.
        wall: Returns seconds that go on.
    """

    def __init__(
        self,
        client: Callable[[], httpx2.AsyncClient],
        *,
        lifetime: float,
        most: int,
        wall: Callable[[], float],
    ) -> None:
        self._client = client
        self._lifetime = lifetime
        self._memory: Memory[Caller | None] = Memory(most)
        self._wrong: Memory[bool] = Memory(most)
        self._asking: dict[str, asyncio.Task[Caller | None]] = {}
        self._wall = wall

    def known(self, key: str) -> bool:
        """Return whether it is known whose key it is, or that it is nobody's."""
        now = self._wall()
        return self._memory.get(key, now) is not None or self._wrong.get(key, now) is not None

    async def find(self, key: str) -> Caller:
        """Return who shows a key. A cancelled request leaves the question to the others.

        Raises:
            InvalidTokenError: It is nobody's.
            KeysUnavailableError: The service does not say.
        """
        if not key or len(key) > _LONGEST or not key.isascii() or not key.isprintable():
            raise InvalidTokenError("api key")
        now = self._wall()
        caller = self._memory.get(key, now)
        if caller is None and self._wrong.get(key, now) is None:
            caller = await self._asked(key)
        if caller is None:
            raise InvalidTokenError("api key")
        return caller

    async def _asked(self, key: str) -> Caller | None:
        task = self._asking.get(key)
        if task is None:
            # In a context of its own: it is no part of the request that happens to be the first.
            loop = asyncio.get_running_loop()
            task = self._asking[key] = loop.create_task(self._ask(key), context=Context())
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: str) -> Caller | None:
        try:
            answer = await self._client().get("/auth/verify-api-key", headers={"X-API-Key": key})
            if answer.status_code in _REFUSED:
                self._wrong.put(key, True, self._wall() + _WRONG_FOR)  # noqa: FBT003 - a set with times
                return None
            if answer.status_code != _OK:
                raise KeysUnavailableError("auth", retry_after=1.0)
            caller = _caller(answer.json())
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise KeysUnavailableError("auth", retry_after=1.0) from error
        self._memory.put(key, caller, self._wall() + self._lifetime)
        return caller


def _caller(told: object) -> Caller:
    body = cast("dict[str, Any]", told)
    user = cast("dict[str, Any]", body["user"])
    scope = body.get("scope", "")
    scopes = scope.split() if isinstance(scope, str) else [str(each) for each in scope]
    return Caller(str(user["id"]), API_KEY, frozenset(scopes), email=str(user.get("email", "")))
