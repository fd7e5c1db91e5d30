"""What people have allowed which client: asked once, and again when it wants more."""

from collections.abc import Callable

from uat_platform.auth.oauth.scopes import words
from uat_platform.auth.queries import change, first
from uat_service.store import Store

__all__ = ["Consents"]


class Consents:
    """Remember what was allowed.

    Args:
        store: Where it is.
        now: Returns seconds since 1970.
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def given(self, user_id: str, client_id: str) -> frozenset[str]:
        """Return what a user has allowed a client."""
        async with self._store.read() as connection:
            row = await first(
                connection,
                "SELECT scope FROM consents WHERE user_id = :user AND client_id = :client",
                user=user_id,
                client=client_id,
            )
        return frozenset() if row is None else words(row["scope"])

    async def give(self, user_id: str, client_id: str, scope: frozenset[str]) -> None:
        """Allow a client this, besides what it was allowed before."""
        allowed = scope | await self.given(user_id, client_id)
        await self._store.write(
            lambda connection: change(
                connection,
                "INSERT INTO consents (user_id, client_id, scope, given_at)"
                " VALUES (:user, :client, :scope, :now)"
                " ON CONFLICT (user_id, client_id) DO UPDATE SET scope = :scope, given_at = :now",
                user=user_id,
                client=client_id,
                scope=" ".join(sorted(allowed)),
                now=self._now(),
            )
        )
