"""Codes: what a client gets in place of a password, good once and for a minute."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.oauth.authorization import AuthorizationRequest
from uat_platform.auth.oauth.scopes import words
from uat_platform.auth.opaque import digest, fresh
from uat_platform.auth.queries import Row, change, first
from uat_platform.auth.sessions.memory import SessionMemory
from uat_platform.auth.sessions.sessions import end
from uat_service.store import Store

__all__ = ["Codes", "Leave", "ShownCode", "proves"]

_LIFETIME = 60.0


@dataclass(frozen=True, slots=True)
class Leave:
    """What a code stands for.

    Attributes:
        user_id: Who has given leave.
        scope: For what.
        nonce: Of the request, or empty.
        auth_time: Seconds since 1970 at which the password was given.
    """

    user_id: str
    scope: frozenset[str]
    nonce: str
    auth_time: float


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code that a client shows.

    Attributes:
        code: The code.
        client_id: Who shows it.
        redirect_uri: Where the client says that it got it.
        verifier: Of PKCE.
    """

    code: str
    client_id: str
    redirect_uri: str
    verifier: str

    def fits(self, row: Row) -> bool:
        """Return whether it is shown by whom it was given to."""
        return (
            row["client_id"] == self.client_id
            and row["redirect_uri"] == self.redirect_uri
            and proves(self.verifier, row["challenge"])
        )


class Codes:
    """Give codes and take them.

    Args:
        store: Where their digests are.
        now: Returns seconds since 1970.
        memory: Of sessions; a code that is used again ends one.
    """

    def __init__(self, store: Store, now: Callable[[], float], *, memory: SessionMemory) -> None:
        self._store = store
        self._now = now
        self._memory = memory

    async def issue(
        self,
        request: AuthorizationRequest,
        *,
        user_id: str,
        scope: frozenset[str],
        auth_time: float,
    ) -> str:
        """Return a new code."""
        code = fresh()

        async def work(connection: AsyncConnection) -> None:
            await change(
                connection,
                "INSERT INTO codes (digest, client_id, user_id, redirect_uri, scope, challenge, nonce,"
                " auth_time, expires_at) VALUES (:digest, :client, :user, :redirect, :scope, :challenge,"
                " :nonce, :auth_time, :expires)",
                digest=digest(code),
                client=request.client.id,
                user=user_id,
                redirect=request.redirect_uri,
                scope=" ".join(sorted(scope)),
                challenge=request.challenge,
                nonce=request.nonce,
                auth_time=auth_time,
                expires=self._now() + _LIFETIME,
            )

        await self._store.write(work)
        return code

    async def redeem(self, shown: ShownCode, *, session_id: str) -> Leave | None:
        """Return what a code stands for, or None when it is not good. It is good once.

        A second use means that somebody has listened: it ends the session that the first one began.

        Args:
            shown: The code, and what goes with it.
            session_id: Of the session that is about to begin.
        """
        leave = await self._store.write(
            lambda connection: self._take(connection, shown, session_id)
        )
        if leave is None:
            self._memory.forget()
        return leave

    async def _take(
        self, connection: AsyncConnection, shown: ShownCode, session_id: str
    ) -> Leave | None:
        name = digest(shown.code)
        row = await first(connection, "SELECT * FROM codes WHERE digest = :digest", digest=name)
        if row is None or row["expires_at"] <= self._now() or not shown.fits(row):
            return None
        # The condition decides between two who have read the same row.
        taken = await change(
            connection,
            "UPDATE codes SET session_id = :session WHERE digest = :digest AND session_id IS NULL",
            session=session_id,
            digest=name,
        )
        if taken:
            return _leave(row)
        await self._used_again(connection, name)
        return None

    async def _used_again(self, connection: AsyncConnection, name: str) -> None:
        row = await first(
            connection, "SELECT session_id FROM codes WHERE digest = :digest", digest=name
        )
        if row is not None and row["session_id"] is not None:
            await end(connection, row["session_id"], because="code used again", now=self._now())
            _logger.warning("code used again", session=row["session_id"])


def proves(verifier: str, challenge: str) -> bool:
    """Return whether a verifier is the one that a challenge was made from (S256)."""
    made = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _leave(row: Row) -> Leave:
    return Leave(row["user_id"], words(row["scope"]), row["nonce"] or "", row["auth_time"])


_logger = structlog.get_logger("uat_platform.auth")
