"""What became of requests with a key: kept in the store, so that a restart forgets nothing."""

import json
from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_resilience.clock import wall_time
from uat_resilience.integrations.serving.asgi_types import RawHeaders
from uat_service.store.store import Store

__all__ = ["Claim", "Records", "Reply"]

_METADATA = MetaData()
_TABLE = Table(
    "uat_idempotency",
    _METADATA,
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    # Milliseconds of Unix time: until then nobody else runs it, or the reply is kept.
    Column("until", BigInteger, nullable=False, index=True),
    Column("owner", String(32), nullable=False),
    Column("status", BigInteger),
    Column("headers", Text),
    Column("body", LargeBinary),
    Column("route", Text),
)
_PURGED = 100  # Expired rows removed along with a claim: all at once would make one request wait.


class Claim(Enum):
    """What a request with a key finds."""

    OURS = auto()
    RUNNING = auto()
    MISMATCH = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was given.

    Attributes:
        status: Its status.
        headers: Its headers.
        body: Its body.
        route: The template of the route that gave it, if that is known: what a repetition is counted under.
    """

    status: int
    headers: RawHeaders
    body: bytes
    route: str | None = None


class Records:
    """Keep what became of requests. Belongs to the event loop of its store.

    Args:
        store: Where they are kept.
        ttl: Seconds for which a reply is kept.
        lease: Seconds after which a request that has not ended counts as lost, with its process.
    """

    def __init__(self, store: Store, *, ttl: float, lease: float) -> None:
        self._store = store
        self._ttl = ttl
        self._lease = lease
        self._prepared = False

    async def claim(self, key: str, fingerprint: str, owner: str) -> Claim | Reply:
        """Claim a key for a request, or return what is known of it.

        Raises:
            StoreUnavailableError: The store is away.
        """
        if not self._prepared:
            await self._store.write(lambda connection: connection.run_sync(_prepare))
            self._prepared = True
        now = _now()
        row = {"id": key, "fingerprint": fingerprint, "owner": owner, "now": now}
        row["until"] = now + round(self._lease * 1000)

        async def work(connection: AsyncConnection) -> Claim | Reply:
            await connection.execute(text(_PURGE), {"id": key, "now": now, "most": _PURGED})
            if (await connection.execute(text(_CLAIM), row)).rowcount == 1:
                return Claim.OURS
            found = (await connection.execute(text(_FIND), {"id": key})).one()
            if found.fingerprint != fingerprint:
                return Claim.MISMATCH
            if found.status is None:
                return Claim.RUNNING
            headers = [
                (n.encode("latin-1"), v.encode("latin-1")) for n, v in json.loads(found.headers)
            ]
            return Reply(int(found.status), headers, bytes(found.body), found.route)

        return await self._store.write(work)

    async def keep(self, key: str, owner: str, reply: Reply) -> None:
        """Keep the reply to a request that was claimed.

        Raises:
            StoreUnavailableError: The store is away.
        """
        pairs = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in reply.headers]
        row = {"id": key, "owner": owner, "status": reply.status, "headers": json.dumps(pairs)}
        row |= {"body": reply.body, "route": reply.route}
        row["until"] = _now() + round(self._ttl * 1000)
        await self._store.write(lambda connection: connection.execute(text(_KEEP), row))

    async def release(self, key: str, owner: str) -> None:
        """Let the next request with the key run: this one came to nothing.

        Raises:
            StoreUnavailableError: The store is away.
        """
        row = {"id": key, "owner": owner}
        await self._store.write(lambda connection: connection.execute(text(_RELEASE), row))


_PURGE = (
    "DELETE FROM uat_idempotency WHERE id IN "
    "(SELECT id FROM uat_idempotency WHERE until <= :now ORDER BY until LIMIT :most) "
    "OR (id = :id AND until <= :now)"
)
_CLAIM = (
    "INSERT INTO uat_idempotency (id, fingerprint, until, owner) "
    "VALUES (:id, :fingerprint, :until, :owner) ON CONFLICT (id) DO NOTHING"
)
_FIND = "SELECT fingerprint, status, headers, body, route FROM uat_idempotency WHERE id = :id"
_KEEP = (
    "UPDATE uat_idempotency SET status = :status, headers = :headers, body = :body, route = :route, "
    "until = :until WHERE id = :id AND owner = :owner"
)
_RELEASE = "DELETE FROM uat_idempotency WHERE id = :id AND owner = :owner AND status IS NULL"


def _prepare(connection: Connection) -> None:
    """Make the table, or give that of an earlier version what it lacks."""
    _METADATA.create_all(connection)
    there = {column["name"] for column in inspect(connection).get_columns(_TABLE.name)}
    if "route" not in there:
        connection.execute(text("ALTER TABLE uat_idempotency ADD COLUMN route TEXT"))


def _now() -> int:
    # Several processes share the rows, so it is the time of the wall; hours of it do not matter much.
    return round(wall_time() * 1000)
