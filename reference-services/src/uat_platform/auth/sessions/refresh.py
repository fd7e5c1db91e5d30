"""Refresh tokens: each is good once, and two tabs that use one at the same time both stay signed in.

    fresh ──▶ used ── for `grace` seconds ──▶ the same successor again
                 └─── after that ───────────▶ somebody has a copy: the session ends

A browser with two tabs, or a client whose answer got lost, uses a token twice within seconds, and means no harm.
Both get one and the same successor, so neither is ahead of the other. It is not kept: it follows from the token
itself and a salt in the database, so only who has the token can have its successor.

The grace begins at the first use and is not prolonged. A thief within it has what the owner has, and is found out
as soon as either of them is a step behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.accounts.users import User, user_of
from uat_platform.auth.opaque import digest, fresh, successor
from uat_platform.auth.queries import Row, change, first
from uat_platform.auth.sessions.memory import SessionMemory
from uat_platform.auth.sessions.session import COLUMNS, Session, session_of
from uat_platform.auth.sessions.sessions import end
from uat_service.store import Store

__all__ = ["Held", "RefreshTokens", "Refreshed", "Step"]


class Step(StrEnum):
    """What became of a refresh token that was shown."""

    ROTATED = "rotated"
    REPLAYED = "replayed"
    REUSED = "reused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session that goes on.

    Attributes:
        session: Which one.
        user: Whose.
        token: The next refresh token.
    """

    session: Session
    user: User
    token: str


@dataclass(frozen=True, slots=True)
class Held:
    """A refresh token that somebody has.

    Attributes:
        session: It goes on with this one.
        user: Whose that is.
        fresh: True when it was not used yet.
    """

    session: Session
    user: User
    fresh: bool


class RefreshTokens:
    """Take a refresh token, and give the next one.

    Args:
        store: Where their digests are.
        now: Returns seconds since 1970.
        grace: Seconds in which a used token gives its successor again, 0 or more.
        told: Called with what became of each token.
        memory: Of sessions; a reused token ends one.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        *,
        grace: float,
        told: Callable[[Step], object],
        memory: SessionMemory,
    ) -> None:
        self._store = store
        self._now = now
        self._grace = grace
        self._told = told
        self._memory = memory

    async def rotate(self, token: str, *, client_id: str | None) -> Refreshed | None:
        """Return the session of a token with the token's successor, or None when it is good no more.

        However many ask at once with one token, all get the same successor.

        Args:
            token: The refresh token.
            client_id: Who shows it: the client it was given to, or None for our own login.
        """
        step, refreshed = await self._store.write(
            lambda connection: self._step(connection, token, client_id)
        )
        if step is Step.REUSED:
            self._memory.forget()
        self._told(step)
        return refreshed

    async def look(self, token: str) -> Held | None:
        """Return whose token it is, and leave it as it is; None when its session has ended."""
        async with self._store.read() as connection:
            row = await self._row(connection, digest(token))
        if row is None:
            return None
        return Held(session_of(row), user_of(row), fresh=row["token_used_at"] is None)

    async def _step(
        self, connection: AsyncConnection, token: str, client_id: str | None
    ) -> tuple[Step, Refreshed | None]:
        name, now, salt = digest(token), self._now(), fresh()
        row = await self._row(connection, name)
        if row is None or row["client_id"] != client_id:
            return Step.UNKNOWN, None
        # The condition decides between processes that have read the same row.
        taken = row["token_used_at"] is None and await change(
            connection,
            "UPDATE refresh_tokens SET used_at = :now, salt = :salt WHERE digest = :digest AND used_at IS NULL",
            now=now,
            salt=salt,
            digest=name,
        )
        if taken:
            following = successor(token, salt)
            await self._follow(connection, row["session_id"], following, now)
            return Step.ROTATED, self._refreshed(row, following)
        used = row if row["token_used_at"] is not None else await self._row(connection, name)
        if used is None:
            return Step.UNKNOWN, None
        if used["salt"] is not None and now - used["token_used_at"] <= self._grace:
            return Step.REPLAYED, self._refreshed(row, successor(token, used["salt"]))
        await end(connection, row["session_id"], because="token used again", now=now)
        _logger.warning("refresh token used again", session=row["session_id"], user=row["user_id"])
        return Step.REUSED, None

    async def _row(self, connection: AsyncConnection, name: str) -> Row | None:
        return await first(
            connection,
            f"SELECT {COLUMNS}, t.used_at AS token_used_at, t.salt, u.* FROM refresh_tokens t"  # noqa: S608 - ours
            " JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id"
            " WHERE t.digest = :digest AND s.ended_at IS NULL AND s.expires_at > :now"
            " AND u.disabled_at IS NULL",
            digest=name,
            now=self._now(),
        )

    @staticmethod
    async def _follow(connection: AsyncConnection, session_id: str, token: str, now: float) -> None:
        await change(
            connection,
            "INSERT INTO refresh_tokens (digest, session_id, issued_at) VALUES (:digest, :session, :now)",
            digest=digest(token),
            session=session_id,
            now=now,
        )
        await change(
            connection,
            "UPDATE sessions SET used_at = :now WHERE id = :session",
            session=session_id,
            now=now,
        )

    @staticmethod
    def _refreshed(row: Row, token: str) -> Refreshed:
        return Refreshed(session_of(row), user_of(row), token)


_logger = structlog.get_logger("uat_platform.auth")
