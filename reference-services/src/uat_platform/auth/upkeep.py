"""What is done once a minute, beside the requests: keys take turns, and rows that nobody needs any more go."""

from collections.abc import Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.keys.ring import KeyRing
from uat_platform.auth.queries import change
from uat_resilience.clock import default_clock
from uat_resilience.waiting import world
from uat_service.store import Store

__all__ = ["Upkeep"]

_PAUSE = 60.0
_DAY = 86_400.0
_WEEK = 7 * _DAY


class Upkeep:
    """Keep the database small and the keys young.

    Args:
        store: What is swept.
        keys: What is rotated.
        now: Returns seconds since 1970.
        grace: Seconds in which a used refresh token has a successor.
    """

    def __init__(
        self, store: Store, keys: KeyRing, now: Callable[[], float], *, grace: float
    ) -> None:
        self._store = store
        self._keys = keys
        self._now = now
        self._grace = grace

    async def run(self) -> None:
        """Do it again and again, until cancelled. A database that is away is tried again the next time."""
        while True:
            await world().pause(default_clock.clock, _PAUSE, None)
            try:
                await self.once()
            except Exception as error:  # noqa: BLE001 - the next minute is another try
                _logger.warning("upkeep failed", error=type(error).__name__)

    async def once(self) -> None:
        """Do it now."""
        await self._store.write(self._sweep)
        await self._keys.tend()

    async def _sweep(self, connection: AsyncConnection) -> None:
        now = self._now()
        for statement, before in (
            # Without its salt a used token has no successor, not even for who reads the database.
            (
                "UPDATE refresh_tokens SET salt = NULL WHERE salt IS NOT NULL AND used_at < :before",
                self._grace,
            ),
            # Until then a reused one is known, and ends its session; after that it is one that never was.
            ("DELETE FROM refresh_tokens WHERE used_at < :before", _WEEK),
            ("DELETE FROM sessions WHERE expires_at < :before OR ended_at < :before", _WEEK),
            ("DELETE FROM codes WHERE expires_at < :before", _DAY),
            ("DELETE FROM revoked_tokens WHERE expires_at < :before", 0.0),
            ("DELETE FROM login_failures WHERE failed_at < :before", _DAY),
        ):
            await change(connection, statement, before=now - before)


_logger = structlog.get_logger("uat_platform.auth")
