"""Programs that may ask for tokens."""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.auth.opaque import digest, fresh, fresh_id
from uat_platform.auth.queries import Row, change, every, first
from uat_platform.auth.sessions.memory import SessionMemory
from uat_service.store import Store

__all__ = ["GRANTS", "Client", "Clients"]

GRANTS = ("authorization_code", "client_credentials", "refresh_token")
"""Ways to a token."""

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Client:
    """A program.

    Attributes:
        id: Its name in requests.
        name: What people are shown.
        secret_digest: Of its secret; None for a public client, whose users would find any secret in it.
        redirect_uris: Where codes may be sent.
        grants: Its ways to a token.
        scope: What its tokens may be good for.
        trusted: True for one of our own, for which nobody is asked for leave.
        id_token_algorithm: What signs its ID tokens.
    """

    id: str
    name: str
    secret_digest: str | None
    redirect_uris: tuple[str, ...]
    grants: frozenset[str]
    scope: frozenset[str]
    trusted: bool
    id_token_algorithm: str

    @property
    def public(self) -> bool:
        """True when it has no secret."""
        return self.secret_digest is None

    def redirects_to(self, uri: str) -> bool:
        """Return whether codes may be sent there: it is an address that was registered, letter for letter.

        But for the port of a program on one's own machine: it listens on whatever is free (RFC 8252, 7.3).
        """
        return uri in self.redirect_uris or _portless(uri) in map(_portless, self.redirect_uris)


class Clients:
    """Find and keep clients.

    Args:
        store: Where they are.
        now: Returns seconds since 1970.
        memory: Of sessions, which end with their client.
    """

    def __init__(self, store: Store, now: Callable[[], float], *, memory: SessionMemory) -> None:
        self._store = store
        self._now = now
        self._memory = memory

    async def add(
        self,
        *,
        name: str,
        public: bool,
        redirect_uris: Collection[str],
        grants: Collection[str],
        scope: Collection[str],
        trusted: bool,
        id_token_algorithm: str,
    ) -> tuple[Client, str | None]:
        """Keep a new client; return it with its secret, which nobody can read again."""
        secret = None if public else fresh()
        client = Client(
            id=fresh_id(),
            name=name,
            secret_digest=None if secret is None else digest(secret),
            redirect_uris=tuple(redirect_uris),
            grants=frozenset(grants),
            scope=frozenset(scope),
            trusted=trusted,
            id_token_algorithm=id_token_algorithm,
        )
        await self._store.write(lambda connection: self._insert(connection, client))
        return client, secret

    async def get(self, client_id: str) -> Client | None:
        """Return the client of an id."""
        async with self._store.read() as connection:
            row = await first(connection, "SELECT * FROM clients WHERE id = :id", id=client_id)
        return None if row is None else _client(row)

    async def page(self, *, after: str = "", limit: int = 100) -> list[Client]:
        """Return clients in the order of their ids, from the one after an id on."""
        async with self._store.read() as connection:
            rows = await every(
                connection,
                "SELECT * FROM clients WHERE id > :after ORDER BY id LIMIT :limit",
                after=after,
                limit=limit,
            )
        return [_client(row) for row in rows]

    async def new_secret(self, client: Client) -> tuple[Client, str]:
        """Give a client another secret; the one before is good no more."""
        secret = fresh()
        await self._store.write(
            lambda connection: change(
                connection,
                "UPDATE clients SET secret_digest = :digest WHERE id = :id",
                digest=digest(secret),
                id=client.id,
            )
        )
        return replace(client, secret_digest=digest(secret)), secret

    async def remove(self, client_id: str) -> bool:
        """Forget a client, and end its sessions. False when there is none."""

        async def work(connection: AsyncConnection) -> int:
            await change(
                connection,
                "UPDATE sessions SET ended_at = :now, ended_because = 'client removed'"
                " WHERE client_id = :id AND ended_at IS NULL",
                id=client_id,
                now=self._now(),
            )
            return await change(connection, "DELETE FROM clients WHERE id = :id", id=client_id)

        removed = await self._store.write(work)
        self._memory.forget()
        return removed > 0

    async def with_secret(self, client_id: str, secret: str) -> Client | None:
        """Return the client that has this secret; a public one has the empty secret."""
        client = await self.get(client_id)
        if client is None:
            return None
        if client.secret_digest is None:
            return client if not secret else None
        return client if hmac.compare_digest(client.secret_digest, digest(secret)) else None

    async def _insert(self, connection: AsyncConnection, client: Client) -> None:
        await change(
            connection,
            "INSERT INTO clients (id, name, secret_digest, redirect_uris, grants, scope, trusted,"
            " id_token_algorithm, created_at) VALUES (:id, :name, :secret, :redirects, :grants, :scope,"
            " :trusted, :algorithm, :now)",
            id=client.id,
            name=client.name,
            secret=client.secret_digest,
            redirects=" ".join(client.redirect_uris),
            grants=" ".join(sorted(client.grants)),
            scope=" ".join(sorted(client.scope)),
            trusted=int(client.trusted),
            algorithm=client.id_token_algorithm,
            now=self._now(),
        )


def _client(row: Row) -> Client:
    return Client(
        id=row["id"],
        name=row["name"],
        secret_digest=row["secret_digest"],
        redirect_uris=tuple(row["redirect_uris"].split()),
        grants=frozenset(row["grants"].split()),
        scope=frozenset(row["scope"].split()),
        trusted=bool(row["trusted"]),
        id_token_algorithm=row["id_token_algorithm"],
    )


def _portless(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or "@" in parts.netloc:
        return uri
    return parts._replace(netloc=str(parts.hostname)).geturl()
