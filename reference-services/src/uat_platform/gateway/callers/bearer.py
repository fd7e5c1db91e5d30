"""Callers by token: checked here, with the keys of the authentication service."""

from collections.abc import Callable, Mapping
from typing import Any

from uat_platform.gateway.callers.caller import TOKEN, Caller
from uat_platform.gateway.callers.memory import Memory
from uat_service.tokens import InvalidTokenError, Verifier

__all__ = ["Bearers"]

_REMEMBERED = 60.0
"""Seconds: a key that its issuer has taken back is believed for no longer than that."""


class Bearers:
    """Tell who shows a token. Belongs to the event loop of the verifier.

    A token that was checked is remembered for a minute at most, and never longer than it is good for: checking a
    signature takes as long as passing on a request.

    Args:
        verifier: Checks tokens.
        most: Tokens that are remembered.
        wall: Returns seconds since 1970.
    """

    def __init__(self, verifier: Verifier, *, most: int, wall: Callable[[], float]) -> None:
        self._verifier = verifier
        self._memory: Memory[Caller] = Memory(most)
        self._wall = wall

    async def find(self, token: str) -> Caller:
        """Return who shows a token.

        Raises:
            InvalidTokenError: It is not valid.
            IssuerUnavailableError: There are no keys to check it with.
        """
        now = self._wall()
        caller = self._memory.get(token, now)
        if caller is None:
            claims = await self._verifier.verify(token)
            caller = _caller(claims)
            self._memory.put(token, caller, min(now + _REMEMBERED, float(claims["exp"])))
        return caller


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, scope, email = claims["sub"], claims.get("scope", ""), claims.get("email", "")
    if not isinstance(subject, str) or not subject:
        raise InvalidTokenError("claim")
    # RFC 9068 has a text with spaces; some issuers write a list.
    scopes = scope.split() if isinstance(scope, str) else [str(each) for each in scope]
    return Caller(subject, TOKEN, frozenset(scopes), email=email if isinstance(email, str) else "")
