"""ID tokens (OpenID Connect Core, 2): who has signed in at a client, when, and by which request."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import jwt

from uat_platform.auth.accounts.users import User
from uat_platform.auth.keys.ring import KeyRing
from uat_platform.auth.oauth.clients import Client
from uat_platform.auth.sessions.session import Session

__all__ = ["IdTokens", "identity"]


class IdTokens:
    """Make ID tokens.

    Args:
        keys: Sign them.
        now: Returns seconds since 1970.
        issuer: Who we are.
        lifetime: Seconds they are good for.
    """

    def __init__(
        self, keys: KeyRing, now: Callable[[], float], *, issuer: str, lifetime: float
    ) -> None:
        self._keys = keys
        self._now = now
        self._issuer = issuer
        self._lifetime = lifetime

    def for_session(
        self, session: Session, user: User, client: Client, *, access_token: str, nonce: str = ""
    ) -> str:
        """Return the token that goes along with an access token."""
        key, now = self._keys.signing(client.id_token_algorithm), self._now()
        half = sha256(access_token.encode()).digest()[:16]
        claims: dict[str, object] = {
            **identity(user, session.scope),
            "iss": self._issuer,
            "aud": client.id,
            "iat": int(now),
            "exp": int(now + self._lifetime),
            "auth_time": int(session.auth_time),
            "sid": session.id,
            "at_hash": urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid})


def identity(user: User, scope: frozenset[str]) -> dict[str, object]:
    """Return what a client may know of a user."""
    told: dict[str, object] = {"sub": user.id}
    if "profile" in scope:
        told |= {"name": user.username, "preferred_username": user.username}
    if "email" in scope:
        # Nobody has written to that address yet.
        told |= {"email": user.email, "email_verified": False}
    return told
