"""Access tokens (JWT, RFC 9068): made here, and checked here and by every service for itself."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import jwt

from uat_platform.auth.accounts.users import User
from uat_platform.auth.keys.ring import KeyRing
from uat_platform.auth.opaque import fresh_id
from uat_platform.auth.sessions.session import Session
from uat_service.tokens import InvalidTokenError

__all__ = ["OURSELVES", "AccessTokens"]

OURSELVES = "uat"
"""The client of tokens from our own login."""

_TYPE = "at+jwt"
_LONGEST = 16_384
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]


class AccessTokens:
    """Make access tokens, and tell what is in one.

    Args:
        keys: Sign and check.
        now: Returns seconds since 1970.
        issuer: Who we are.
        audience: Whom tokens are for.
        algorithm: What signs them.
        lifetime: Seconds they are good for.

    Attributes:
        lifetime: Seconds they are good for.
    """

    def __init__(
        self,
        keys: KeyRing,
        now: Callable[[], float],
        *,
        issuer: str,
        audience: str,
        algorithm: str,
        lifetime: float,
    ) -> None:
        self._keys = keys
        self._now = now
        self._issuer = issuer
        self._audience = audience
        self._algorithm = algorithm
        self.lifetime = lifetime

    def for_session(
        self, session: Session, user: User, *, scope: Collection[str] | None = None
    ) -> str:
        """Return a token for somebody who is signed in; narrower than the session when a scope is given."""
        claims: dict[str, object] = {
            "sub": user.id,
            "sid": session.id,
            "auth_time": int(session.auth_time),
            "roles": sorted(user.roles),
            "client_id": session.client_id or OURSELVES,
        }
        if session.client_id is None:
            # What services that knew the token before OpenID Connect look for.
            claims |= {"user_id": user.id, "email": user.email, "username": user.username}
        granted = session.scope if scope is None else scope
        return self._signed(claims, granted, until=session.expires_at)

    def for_client(self, client_id: str, scope: Collection[str]) -> str:
        """Return a token for a client that acts for itself."""
        return self._signed({"sub": client_id, "client_id": client_id}, scope, until=None)

    def read(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that we have signed and that has not expired.

        Raises:
            InvalidTokenError: It is not valid.
        """
        if len(token) > _LONGEST:
            raise InvalidTokenError("length")
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.find(str(header.get("kid")))
            # An ID token is signed by the same keys, and is no leave to do anything.
            if key is None or header.get("typ") != _TYPE:
                raise InvalidTokenError("key" if key is None else "type")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key=key.public,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                # The time is our own, as it was when the token was made.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            raise InvalidTokenError("malformed") from None
        if claims["exp"] <= self._now():
            raise InvalidTokenError("expired")
        return claims

    def _signed(
        self, claims: Mapping[str, object], scope: Collection[str], *, until: float | None
    ) -> str:
        key, now = self._keys.signing(self._algorithm), self._now()
        ends = now + self.lifetime
        body = {
            **claims,
            "iss": self._issuer,
            "aud": self._audience,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(ends if until is None else min(ends, until)),
            "jti": fresh_id(),
            "scope": " ".join(sorted(scope)),
        }
        return jwt.encode(
            body, key.private, algorithm=key.algorithm, headers={"kid": key.kid, "typ": _TYPE}
        )
