"""Who a request is from, as far as it says so: `Authorization: Bearer ...` or `X-API-Key`."""

from collections.abc import Awaitable, Callable

from uat_platform.gateway.callers.api_keys import ApiKeys
from uat_platform.gateway.callers.bearer import Bearers
from uat_platform.gateway.callers.caller import Caller
from uat_resilience.integrations.serving.asgi_types import RawHeaders
from uat_service.tokens import InvalidTokenError

__all__ = ["Callers", "Spend"]

Spend = Callable[[], Awaitable[object]]
"""Counts one request of a client that nobody knows; raises when it is one too many."""


class Callers:
    """Find callers. Belongs to one event loop.

    Args:
        bearers: Knows tokens.
        api_keys: Knows API keys.
    """

    def __init__(self, bearers: Bearers, api_keys: ApiKeys) -> None:
        self._bearers = bearers
        self._api_keys = api_keys

    async def find(self, headers: RawHeaders, spend: Spend) -> Caller | None:
        """Return who a request is from, or None when it does not say.

        Args:
            headers: Of the request.
            spend: Is called before anybody else is asked: made-up keys must not make work for others.

        Raises:
            InvalidTokenError: What it shows is not valid.
            CallRefusedError: Whether it is cannot be found out, or `spend` refuses.
        """
        shown = [value for name, value in headers if name == b"authorization"]
        keys = [value for name, value in headers if name == b"x-api-key"]
        if len(shown) + len(keys) > 1:
            # Who reads the other one would take it for somebody else's.
            raise InvalidTokenError("ambiguous")
        if shown:
            scheme, _, token = shown[0].decode("latin-1").partition(" ")
            if scheme.lower() != "bearer":
                raise InvalidTokenError("scheme")
            return await self._bearers.find(token.strip())
        if keys:
            key = keys[0].decode("latin-1")
            if not self._api_keys.known(key):
                await spend()
            return await self._api_keys.find(key)
        return None
