"""The three ways to a token: a code, a refresh token, a client's own name."""

from dataclasses import dataclass

from uat_platform.auth.accounts.users import User, Users
from uat_platform.auth.oauth.clients import Client
from uat_platform.auth.oauth.codes import Codes, ShownCode
from uat_platform.auth.oauth.errors import OAuthError
from uat_platform.auth.oauth.id_tokens import IdTokens
from uat_platform.auth.oauth.scopes import IDENTITY, granted, words
from uat_platform.auth.opaque import fresh_id
from uat_platform.auth.sessions.access import AccessTokens
from uat_platform.auth.sessions.refresh import RefreshTokens
from uat_platform.auth.sessions.session import Origin, Session
from uat_platform.auth.sessions.sessions import Sessions

__all__ = ["Grants", "Issued"]


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens for a client.

    Attributes:
        access_token: What services look at.
        scope: What it is good for.
        refresh_token: What goes on, or None.
        id_token: Who has signed in, or None.
    """

    access_token: str
    scope: frozenset[str]
    refresh_token: str | None = None
    id_token: str | None = None


class Grants:
    """Give tokens to clients that are known to be who they say.

    Args:
        users: Who they act for.
        sessions: Begins what a code opens.
        codes: Takes codes.
        refresh: Takes refresh tokens.
        access: Makes access tokens.
        id_tokens: Makes ID tokens.
    """

    def __init__(
        self,
        *,
        users: Users,
        sessions: Sessions,
        codes: Codes,
        refresh: RefreshTokens,
        access: AccessTokens,
        id_tokens: IdTokens,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._codes = codes
        self._refresh = refresh
        self._access = access
        self._id_tokens = id_tokens

    async def for_code(self, client: Client, shown: ShownCode, *, origin: Origin) -> Issued:
        """Begin a session at the client.

        Raises:
            OAuthError: The code is not good, or not the client's.
        """
        _check(client, "authorization_code")
        session_id = fresh_id()
        leave = await self._codes.redeem(shown, session_id=session_id)
        user = None if leave is None else await self._users.by_id(leave.user_id)
        if leave is None or user is None or user.disabled:
            raise OAuthError("invalid_grant", "the code is not good")
        session, token = await self._sessions.begin(
            user.id,
            session_id=session_id,
            scope=leave.scope,
            origin=origin,
            client_id=client.id,
            auth_time=leave.auth_time,
        )
        return self._issued(client, session, user, token, session.scope, nonce=leave.nonce)

    async def for_refresh_token(self, client: Client, *, token: str, scope: str = "") -> Issued:
        """Go on with a session, with less than it is good for when a scope is given.

        Raises:
            OAuthError: The token is not good, or not the client's.
        """
        _check(client, "refresh_token")
        refreshed = await self._refresh.rotate(token, client_id=client.id)
        if refreshed is None:
            raise OAuthError("invalid_grant", "the refresh token is not good")
        session = refreshed.session
        asked = words(scope) or session.scope
        if not asked <= session.scope:
            raise OAuthError("invalid_scope", "more than was allowed")
        return self._issued(client, session, refreshed.user, refreshed.token, asked)

    async def for_itself(self, client: Client, *, scope: str = "") -> Issued:
        """Let a client act in its own name.

        Raises:
            OAuthError: It may not, or not that.
        """
        _check(client, "client_credentials")
        if client.public:
            raise OAuthError("unauthorized_client", "a client without a secret cannot prove itself")
        allowed = client.scope - IDENTITY
        asked = words(scope) or allowed
        if not asked <= allowed:
            raise OAuthError("invalid_scope", "more than the client may have")
        return Issued(self._access.for_client(client.id, asked), asked)

    def _issued(
        self,
        client: Client,
        session: Session,
        user: User,
        token: str,
        scope: frozenset[str],
        *,
        nonce: str = "",
    ) -> Issued:
        scope = granted(scope, user.roles)
        access = self._access.for_session(session, user, scope=scope)
        identified = (
            self._id_tokens.for_session(session, user, client, access_token=access, nonce=nonce)
            if "openid" in scope
            else None
        )
        return Issued(
            access, scope, token if "refresh_token" in client.grants else None, identified
        )


def _check(client: Client, grant: str) -> None:
    if grant not in client.grants:
        raise OAuthError("unauthorized_client", f"the client does not use {grant}")
