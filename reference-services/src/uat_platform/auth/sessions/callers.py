"""Who is asking: from the token or key of a request, to somebody who may or may not do something."""

from dataclasses import dataclass

from uat_platform.auth.accounts.users import User
from uat_platform.auth.sessions.access import AccessTokens
from uat_platform.auth.sessions.revoked import RevokedTokens
from uat_platform.auth.sessions.session import Session
from uat_platform.auth.sessions.sessions import Sessions
from uat_service.tokens import InvalidTokenError

__all__ = ["Caller", "Callers"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has shown a valid access token.

    Attributes:
        client_id: The client that asks.
        scope: What the token is good for.
        jti: Its id.
        expires_at: Seconds since 1970 at which it expires.
        session: The session it belongs to, or None for a client that acts for itself.
        user: Who is signed in there.
    """

    client_id: str
    scope: frozenset[str]
    jti: str
    expires_at: float
    session: Session | None = None
    user: User | None = None

    def may(self, scope: str) -> bool:
        """Return whether the token is good for this, and its user may do it, too."""
        if scope not in self.scope:
            return False
        return scope != "admin" or self.user is None or "admin" in self.user.roles


class Callers:
    """Tell who has a token: valid, not taken back, and of a session that has not ended.

    Args:
        tokens: Reads them.
        sessions: Knows which have ended.
        revoked: Knows which were taken back.
    """

    def __init__(self, tokens: AccessTokens, sessions: Sessions, revoked: RevokedTokens) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._revoked = revoked

    async def of(self, token: str) -> Caller:
        """Return who has a token.

        Raises:
            InvalidTokenError: It is not valid.
            StoreUnavailableError: Nobody knows: the database is away.
        """
        claims = self._tokens.read(token)
        client, scope = claims["client_id"], frozenset(claims["scope"].split())
        caller = Caller(client, scope, claims["jti"], claims["exp"])
        if "sid" not in claims:
            if await self._revoked.has(caller.jti):
                raise InvalidTokenError("revoked")
            return caller
        # In one question: this is asked more often than anything else.
        found = await self._sessions.of_token(claims["sid"], caller.jti)
        if found is None:
            raise InvalidTokenError("session")
        session, user = found
        return Caller(client, scope, caller.jti, caller.expires_at, session, user)
