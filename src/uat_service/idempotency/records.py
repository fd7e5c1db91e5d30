"""What became of requests with a key: kept in the store, so that a restart forgets nothing."""

import json
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text, text
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
            await self._store.write(lambda connection: connection.run_sync(_METADATA.create_all))
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
            route, pairs = _read(found.headers)
            headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in pairs]
            return Reply(int(found.status), headers, bytes(found.body), route)

        return await self._store.write(work)

    async def keep(self, key: str, owner: str, reply: Reply) -> None:
        """Keep the reply to a request that was claimed.

        Raises:
            StoreUnavailableError: The store is away.
        """
        pairs = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in reply.headers]
        row = {
            "id": key,
            "owner": owner,
            "status": reply.status,
            "headers": _written(reply.route, pairs),
        }
        row |= {"body": reply.body, "until": _now() + round(self._ttl * 1000)}
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
_FIND = "SELECT fingerprint, status, headers, body FROM uat_idempotency WHERE id = :id"
_KEEP = (
    "UPDATE uat_idempotency SET status = :status, headers = :headers, body = :body, until = :until "
    "WHERE id = :id AND owner = :owner"
)
_RELEASE = "DELETE FROM uat_idempotency WHERE id = :id AND owner = :owner AND status IS NULL"


def _written(route: str | None, headers: list[tuple[str, str]]) -> str:
    return json.dumps({"route": route, "headers": headers})


def _read(written: str) -> tuple[str | None, list[tuple[str, str]]]:
    found: Any = json.loads(written)
    if written.startswith("["):
        return None, found  # As earlier versions have written them.
    return found["route"], found["headers"]


def _now() -> int:
    # Several processes share the rows, so it is the time of the wall; hours of it do not matter much.
    return round(wall_time() * 1000)
