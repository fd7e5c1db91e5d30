"""Whoever is wrong too often waits, and each time twice as long.

Counted are wrong passwords for an account from one address, so that a stranger cannot lock the owner out; and,
with ten times the patience, for the account from anywhere, so that many addresses do not help.
"""

from collections.abc import Callable
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.queries import change, every, first
from uat_resilience import RateLimitedError
from uat_service.store import Store

__all__ = ["Lockout"]

_FROM_ANYWHERE = 10
_FORGOTTEN_AFTER = 3600.0
_NAME = "login"


class Lockout:
    """Count failures, and refuse who has too many.

    Args:
        store: Where they are counted, so that a restart forgets none.
        now: Returns seconds since 1970.
        attempts: Failures in a row before the first lock.
        shortest: Seconds of the first lock.
        longest: Seconds of a lock at most.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        *,
        attempts: int,
        shortest: float,
        longest: float,
    ) -> None:
        self._store = store
        self._now = now
        self._attempts = attempts
        self._shortest = shortest
        self._longest = longest

    async def check(self, email: str, address: str) -> None:
        """Let an attempt pass.

        Raises:
            RateLimitedError: It is locked; `retry_after` says for how long. Answered with 429.
        """
        here, anywhere = _subjects(email, address)
        async with self._store.read() as connection:
            rows = await every(
                connection,
                "SELECT locked_until FROM login_failures WHERE subject IN (:here, :anywhere)",
                here=here,
                anywhere=anywhere,
            )
        left = max((row["locked_until"] for row in rows), default=0.0) - self._now()
        if left > 0:
            raise RateLimitedError(_NAME, retry_after=left)

    async def failed(self, email: str, address: str) -> None:
        """Count a wrong password."""
        here, anywhere = _subjects(email, address)

        async def work(connection: AsyncConnection) -> None:
            await self._count(connection, here, self._attempts)
            await self._count(connection, anywhere, self._attempts * _FROM_ANYWHERE)

        await self._store.write(work)

    async def succeeded(self, email: str, address: str) -> None:
        """Forget the failures of an account from an address."""
        here, _ = _subjects(email, address)
        async with self._store.read() as connection:
            found = await first(
                connection, "SELECT 1 AS found FROM login_failures WHERE subject = :here", here=here
            )
        if found is not None:
            await self.forget(here)

    async def forget(self, subject: str) -> None:
        """Forget the failures of one subject."""
        await self._store.write(
            lambda connection: change(
                connection, "DELETE FROM login_failures WHERE subject = :subject", subject=subject
            )
        )

    async def _count(self, connection: AsyncConnection, subject: str, attempts: int) -> None:
        now = self._now()
        row = await first(
            connection,
            "INSERT INTO login_failures (subject, failures, failed_at, locked_until)"
            " VALUES (:subject, 1, :now, 0) ON CONFLICT (subject) DO UPDATE SET failed_at = :now,"
            " failures = CASE WHEN login_failures.failed_at < :forgotten"
            " THEN 1 ELSE login_failures.failures + 1 END RETURNING failures",
            subject=subject,
            now=now,
            forgotten=now - _FORGOTTEN_AFTER,
        )
        over = 0 if row is None else row["failures"] - attempts
        if over >= 0:
            await change(
                connection,
                "UPDATE login_failures SET locked_until = :until WHERE subject = :subject",
                subject=subject,
                until=now + min(self._longest, self._shortest * 2.0 ** min(over, 60)),
            )


def _subjects(email: str, address: str) -> tuple[str, str]:
    """Return names for both counts; digests, because they may be of people who are no users."""
    return (
        sha256(f"{email}\n{address}".encode()).hexdigest(),
        sha256(email.encode()).hexdigest(),
    )
