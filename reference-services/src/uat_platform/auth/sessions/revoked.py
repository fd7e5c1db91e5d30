"""Access tokens that were taken back one by one, before they expire."""

from uat_platform.auth.queries import change, first
from uat_platform.auth.sessions.memory import SessionMemory
from uat_service.store import Store

__all__ = ["RevokedTokens"]


class RevokedTokens:
    """Remember tokens that are good no more, for as long as they would have been.

    Args:
        store: Where they are.
        memory: Of sessions, which knows tokens too.
    """

    def __init__(self, store: Store, *, memory: SessionMemory) -> None:
        self._store = store
        self._memory = memory

    async def add(self, jti: str, *, expires_at: float) -> None:
        """Take a token back. Once more is the same."""
        await self._store.write(
            lambda connection: change(
                connection,
                "INSERT INTO revoked_tokens (jti, expires_at) VALUES (:jti, :expires)"
                " ON CONFLICT DO NOTHING",
                jti=jti,
                expires=expires_at,
            )
        )
        self._memory.forget()

    async def has(self, jti: str) -> bool:
        """Return whether a token was taken back."""
        async with self._store.read() as connection:
            row = await first(
                connection, "SELECT 1 AS found FROM revoked_tokens WHERE jti = :jti", jti=jti
            )
        return row is not None
