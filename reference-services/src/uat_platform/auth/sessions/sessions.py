"""Sessions, as the database knows them: a restart ends none, and what was ended stays ended."""

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.accounts.users import User, user_of
from uat_platform.auth.opaque import digest, fresh, fresh_id
from uat_platform.auth.queries import change, every, first
from uat_platform.auth.sessions.memory import SessionMemory
from uat_platform.auth.sessions.session import COLUMNS, Origin, Session, session_of
from uat_service.store import Store

__all__ = ["Begun", "Sessions", "end"]

Begun = tuple[Session, str]
"""A session, and the secret that goes on with it: a refresh token, or what is in a cookie."""


class Sessions:
    """Begin sessions, find them and end them.

    Args:
        store: Where they are.
        now: Returns seconds since 1970.
        lifetime: Seconds after which a session ends by itself.
        memory: What was looked up lately.
    """

    def __init__(
        self, store: Store, now: Callable[[], float], *, lifetime: float, memory: SessionMemory
    ) -> None:
        self._store = store
        self._now = now
        self._lifetime = lifetime
        self._memory = memory

    async def begin(
        self,
        user_id: str,
        *,
        scope: Collection[str],
        origin: Origin,
        client_id: str | None = None,
        auth_time: float | None = None,
        session_id: str | None = None,
    ) -> Begun:
        """Begin a session, and return it with its first refresh token.

        Args:
            user_id: Whose.
            scope: What its tokens are good for.
            origin: Where the request came from.
            client_id: At which client, or None for our own login.
            auth_time: When the password was given. Default: now.
            session_id: Its name. Default: a new one.
        """
        token = fresh()
        session = self._made(user_id, scope, origin, client_id, auth_time)
        if session_id is not None:
            session = replace(session, id=session_id)

        async def work(connection: AsyncConnection) -> None:
            await _insert(connection, session, cookie=None)
            await change(
                connection,
                "INSERT INTO refresh_tokens (digest, session_id, issued_at) VALUES (:digest, :id, :now)",
                digest=digest(token),
                id=session.id,
                now=session.created_at,
            )

        await self._store.write(work)
        return session, token

    async def begin_in_browser(self, user_id: str, *, origin: Origin) -> Begun:
        """Begin a session that a cookie goes on with, and return it with the content of the cookie."""
        cookie = fresh()
        session = self._made(user_id, (), origin, None, None)
        await self._store.write(
            lambda connection: _insert(connection, session, cookie=digest(cookie))
        )
        return session, cookie

    async def of_cookie(self, cookie: str) -> tuple[Session, User] | None:
        """Return the session of a cookie and its user, unless it has ended."""
        return await self._find("s.cookie_digest = :value", digest(cookie))

    async def of_token(self, session_id: str, jti: str) -> tuple[Session, User] | None:
        """Return the session of an access token and its user, unless it has ended or the token was taken back."""
        known, era = self._memory.get(jti), self._memory.era
        if known is not None:
            return known
        found = await self._find(
            "s.id = :value AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = :jti)",
            session_id,
            jti=jti,
        )
        if found is not None:
            self._memory.keep(jti, *found, era=era)
        return found

    async def of_user(self, user_id: str) -> list[Session]:
        """Return the sessions of a user that have not ended, the newest first."""
        async with self._store.read() as connection:
            rows = await every(
                connection,
                f"SELECT {COLUMNS} FROM sessions s WHERE s.user_id = :user AND s.ended_at IS NULL"  # noqa: S608 - ours
                " AND s.expires_at > :now ORDER BY s.created_at DESC, s.id",
                user=user_id,
                now=self._now(),
            )
        return [session_of(row) for row in rows]

    async def end(self, session_id: str, *, because: str, user_id: str | None = None) -> bool:
        """End a session, if it is of this user. False when there was nothing to end."""
        try:
            return await self._store.write(
                lambda connection: end(
                    connection, session_id, because=because, now=self._now(), user_id=user_id
                )
            )
        finally:
            self._memory.forget()

    async def end_all(self, user_id: str, *, because: str, but: str | None = None) -> int:
        """End the sessions of a user, but for one; return how many."""

        async def work(connection: AsyncConnection) -> int:
            return await change(
                connection,
                "UPDATE sessions SET ended_at = :now, ended_because = :because"
                " WHERE user_id = :user AND ended_at IS NULL AND id <> :but",
                now=self._now(),
                because=because,
                user=user_id,
                but=but or "",
            )

        try:
            return await self._store.write(work)
        finally:
            self._memory.forget()

    def _made(
        self,
        user_id: str,
        scope: Collection[str],
        origin: Origin,
        client_id: str | None,
        auth_time: float | None,
    ) -> Session:
        now = self._now()
        return Session(
            id=fresh_id(),
            user_id=user_id,
            client_id=client_id,
            scope=frozenset(scope),
            auth_time=now if auth_time is None else auth_time,
            created_at=now,
            used_at=now,
            expires_at=now + self._lifetime,
            origin=origin,
        )

    async def _find(self, condition: str, value: str, **more: str) -> tuple[Session, User] | None:
        async with self._store.read() as connection:
            row = await first(
                connection,
                f"SELECT {COLUMNS}, u.* FROM sessions s JOIN users u ON u.id = s.user_id"  # noqa: S608 - ours
                f" WHERE {condition} AND s.ended_at IS NULL AND s.expires_at > :now"
                " AND u.disabled_at IS NULL",
                value=value,
                now=self._now(),
                **more,
            )
        return None if row is None else (session_of(row), user_of(row))


async def end(
    connection: AsyncConnection,
    session_id: str,
    *,
    because: str,
    now: float,
    user_id: str | None = None,
) -> bool:
    """End a session within a transaction."""
    ended = await change(
        connection,
        "UPDATE sessions SET ended_at = :now, ended_because = :because"
        " WHERE id = :id AND ended_at IS NULL AND user_id = COALESCE(:user, user_id)",
        id=session_id,
        because=because,
        now=now,
        user=user_id,
    )
    return ended > 0


async def _insert(connection: AsyncConnection, session: Session, *, cookie: str | None) -> None:
    await change(
        connection,
        "INSERT INTO sessions (id, user_id, client_id, scope, auth_time, created_at, used_at, expires_at,"
        " address, agent, cookie_digest) VALUES (:id, :user, :client, :scope, :auth_time, :created_at,"
        " :created_at, :expires_at, :address, :agent, :cookie)",
        id=session.id,
        user=session.user_id,
        client=session.client_id,
        scope=" ".join(sorted(session.scope)),
        auth_time=session.auth_time,
        created_at=session.created_at,
        expires_at=session.expires_at,
        cookie=cookie,
        **session.origin.shown,
    )
