"""The registry on disk: what was known last is there at the next start.

Changes are collected for a fifth of a second and written together. Renewals are not written: a lease does not
outlast the process, and what is read at the start counts as stale until it is heard of.
"""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change, Kind
from uat_resilience.clock import default_clock
from uat_resilience.waiting import world
from uat_service.resolver import Instance
from uat_service.store import Store, StoreUnavailableError

__all__ = ["Snapshot"]

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_COLLECTING = 0.2
_LONGEST = 30.0


class Snapshot:
    """Keep registrations in a database. Belongs to one event loop.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dirty: dict[tuple[str, str], Registration | None] = {}
        self._changed = asyncio.Event()
        self._failures = 0

    @property
    def behind(self) -> bool:
        """Whether something could not be written so far."""
        return self._failures > 0

    async def load(self) -> list[Registration]:
        """Return what was known last, as stale.

        Raises:
            StoreUnavailableError: The database is away.
        """
        await self._store.migrate(_MIGRATIONS)
        async with self._store.read() as connection:
            rows = await connection.execute(text(_ALL))
            return [_read(row) for row in rows.mappings()]

    def note(self, changes: Iterable[Change]) -> None:
        """Take note of what is to be written."""
        for each in changes:
            one = each.registration
            if one.lease is not None and each.kind is not Kind.HEARD:
                self._dirty[one.service, one.instance.id] = None if each.gone else one
                self._changed.set()

    async def run(self) -> None:
        """Write changes as they come, until cancelled."""
        while True:
            await self._changed.wait()
            pause = min(_LONGEST, _COLLECTING * 2.0 ** min(self._failures, 10))
            await world().pause(default_clock.clock, pause, None)
            await self.flush()

    async def flush(self) -> None:
        """Write what is to be written. When the database is away it is kept for the next time."""
        taken, self._dirty = self._dirty, {}
        self._changed.clear()
        if not taken:
            return

        async def work(connection: AsyncConnection) -> None:
            keys = [{"service": service, "id": id_} for service, id_ in taken]
            await connection.execute(text(_DELETE), keys)
            rows = [_row(each) for each in taken.values() if each is not None]
            if rows:
                await connection.execute(text(_INSERT), rows)

        try:
            await self._store.write(work)
            self._failures = 0
        except StoreUnavailableError as error:
            self._failures += 1
            self._dirty = {**taken, **self._dirty}
            self._changed.set()
            _logger.warning("registry not written", error=str(error), failures=self._failures)


def _row(one: Registration) -> dict[str, object]:
    instance = one.instance
    return {
        "service": one.service,
        "id": instance.id,
        "url": instance.url,
        "version": instance.version,
        "zone": instance.zone,
        "weight": instance.weight,
        "lease": one.lease,
        "health": one.health,
        "metrics": one.metrics,
    }


def _read(row: Mapping[Any, Any]) -> Registration:
    return Registration(
        service=row["service"],
        instance=Instance(
            row["url"],
            id=row["id"],
            version=row["version"],
            zone=row["zone"],
            weight=row["weight"],
        ),
        lease=row["lease"],
        health=row["health"],
        metrics=row["metrics"],
        stale=True,
    )


_COLUMNS = ("service", "id", "url", "version", "zone", "weight", "lease", "health", "metrics")
_TABLE = "load_balancer_registrations"
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM {_TABLE} ORDER BY service, id"  # noqa: S608 - our own names
_DELETE = f"DELETE FROM {_TABLE} WHERE service = :service AND id = :id"  # noqa: S608 - the same
_INSERT = (
    f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) "  # noqa: S608 - the same
    f"VALUES ({', '.join(':' + each for each in _COLUMNS)})"
)
_logger = structlog.get_logger("load_balancer")
