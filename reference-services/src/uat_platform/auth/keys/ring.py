"""The keys of this issuer, the same in all its processes.

    made ──▶ next ── rotate ──▶ current ── rotate ──▶ retired ── its last token has expired ──▶ gone
             published          signs                 still published

A key is published at least `notice` seconds before it signs: whoever checks tokens has seen it by then. So nobody
notices a rotation. In a forced one, for a key that was stolen, the old key goes at once, and its tokens with it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.keys.signing_key import (
    ALGORITHMS,
    KeyState,
    SigningKey,
    make_key,
    read_key,
    written,
)
from uat_platform.auth.queries import Row, change, every
from uat_service.store import Store, StoreUnavailableError

__all__ = ["KeyRing", "KeyTooNewError"]


class KeyTooNewError(Exception):
    """The next key has not been published for long enough.

    Attributes:
        retry_after: Seconds until it has.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the next key may sign in {retry_after:.0f} s")
        self.retry_after = retry_after


class KeyRing:
    """Sign with the current key of each algorithm, and publish all there are. Belongs to one event loop.

    Args:
        store: Where they are.
        now: Returns seconds since 1970.
        lifetime: Seconds a key signs.
        notice: Seconds it is published before.
        kept: Seconds it is published after: as long as what it has signed is good.
        passphrase: Encrypts private keys in the database, unless empty.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        *,
        lifetime: float,
        notice: float,
        kept: float,
        passphrase: str = "",
    ) -> None:
        self._store = store
        self._now = now
        self._lifetime = lifetime
        self._notice = notice
        self._kept = kept
        self._passphrase = passphrase
        self._keys: dict[str, SigningKey] = {}

    @property
    def ready(self) -> bool:
        """True once there is a key for each algorithm."""
        return {key.algorithm for key in self._keys.values() if key.state is KeyState.CURRENT} == {
            *ALGORITHMS
        }

    @property
    def keys(self) -> list[SigningKey]:
        """All that are published, the oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.published_at, key.kid))

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """Return the key set, as anybody may see it."""
        return {"keys": [key.jwk for key in self.keys]}

    def signing(self, algorithm: str) -> SigningKey:
        """Return the key that signs.

        Raises:
            StoreUnavailableError: There are no keys yet.
        """
        for key in self._keys.values():
            if key.algorithm == algorithm and key.state is KeyState.CURRENT:
                return key
        raise StoreUnavailableError("keys", retry_after=1.0)

    def find(self, kid: str) -> SigningKey | None:
        """Return the key of a name."""
        return self._keys.get(kid)

    async def load(self) -> None:
        """Read the keys, and make those that are missing.

        Raises:
            StoreUnavailableError: The database is away.
            ValueError, TypeError: The passphrase is not the one that they were written with.
        """
        await self._read()
        have = {(key.algorithm, key.state) for key in self._keys.values()}
        missing = [
            (algorithm, state)
            for algorithm in ALGORITHMS
            for state in (KeyState.CURRENT, KeyState.NEXT)
            if (algorithm, state) not in have
        ]
        for algorithm, state in missing:
            key = await asyncio.to_thread(make_key, algorithm, state=state, now=self._now())
            await self._keep(key)
        if missing:
            # Another process may have been faster, so look what there is now.
            await self._read()

    async def tend(self) -> None:
        """Read what others have changed, rotate what is due, and drop what is over."""
        await self._store.write(
            lambda connection: change(
                connection,
                "DELETE FROM signing_keys WHERE state = 'retired' AND retired_at < :before",
                before=self._now() - self._kept,
            )
        )
        await self.load()
        for algorithm in ALGORITHMS:
            since = self.signing(algorithm).signing_since or 0.0
            if self._now() - since >= self._lifetime and self._too_new(algorithm) <= 0:
                await self.rotate(algorithm)

    async def rotate(self, algorithm: str, *, force: bool = False) -> SigningKey:
        """Let the next key sign, and return it.

        Args:
            algorithm: Whose key.
            force: True to do so whatever clients know, and to publish the old key no more: it was stolen.

        Raises:
            KeyTooNewError: The next key was not published for long enough.
        """
        await self._read()
        left = self._too_new(algorithm)
        if left > 0 and not force:
            raise KeyTooNewError(left)
        old = self.signing(algorithm)
        fresh = await asyncio.to_thread(make_key, algorithm, state=KeyState.NEXT, now=self._now())
        await self._store.write(
            lambda connection: self._replace(connection, old, fresh, force=force)
        )
        await self._read()
        new = self.signing(algorithm)
        _logger.info("key rotated", algorithm=algorithm, kid=new.kid, forced=force)
        return new

    def _too_new(self, algorithm: str) -> float:
        """Return the seconds until the next key may sign."""
        published = [
            key.published_at
            for key in self._keys.values()
            if key.algorithm == algorithm and key.state is KeyState.NEXT
        ]
        return max(published, default=self._now()) + self._notice - self._now()

    async def _replace(
        self, connection: AsyncConnection, old: SigningKey, fresh: SigningKey, *, force: bool
    ) -> None:
        retired = await change(
            connection,
            "UPDATE signing_keys SET state = 'retired', retired_at = :now"
            " WHERE kid = :kid AND state = 'current'",
            kid=old.kid,
            now=self._now(),
        )
        if not retired:
            return  # Another process has rotated meanwhile; once is enough.
        if force:
            await change(connection, "DELETE FROM signing_keys WHERE kid = :kid", kid=old.kid)
        await change(
            connection,
            "UPDATE signing_keys SET state = 'current', signing_since = :now"
            " WHERE algorithm = :algorithm AND state = 'next'",
            algorithm=old.algorithm,
            now=self._now(),
        )
        await self._insert(connection, fresh)

    async def _keep(self, key: SigningKey) -> None:
        await self._store.write(lambda connection: self._insert(connection, key))

    async def _insert(self, connection: AsyncConnection, key: SigningKey) -> None:
        await change(
            connection,
            "INSERT INTO signing_keys (kid, algorithm, state, private_key, published_at, signing_since)"
            " VALUES (:kid, :algorithm, :state, :private_key, :published_at, :signing_since)"
            " ON CONFLICT DO NOTHING",
            kid=key.kid,
            algorithm=key.algorithm,
            state=key.state.value,
            private_key=written(key, self._passphrase),
            published_at=key.published_at,
            signing_since=key.signing_since,
        )

    async def _read(self) -> None:
        async with self._store.read() as connection:
            rows = await every(connection, "SELECT * FROM signing_keys")
        # What is known already is not decrypted again.
        self._keys = {
            row["kid"]: self._known(row) or read_key(row, self._passphrase) for row in rows
        }

    def _known(self, row: Row) -> SigningKey | None:
        key = self._keys.get(row["kid"])
        return key if key is not None and key.state == row["state"] else None


_logger = structlog.get_logger("uat_platform.auth")
