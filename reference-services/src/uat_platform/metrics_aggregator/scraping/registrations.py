"""Services that have registered, in the database: they are asked after a restart too."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.metrics_aggregator.scraping.target import Target, from_address
from uat_service.store import Store

__all__ = ["Registrations"]


class Registrations:
    """Remember who has registered.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self) -> dict[str, Target]:
        """Return all targets, by the name of their service.

        Raises:
            StoreUnavailableError: The database is away.
        """
        async with self._store.read() as connection:
            rows = await connection.execute(text(_READ))
            return {
                str(service): from_address(str(endpoint), json.loads(labels))
                for service, endpoint, labels in rows
            }

    async def write(self, service: str, target: Target, labels: dict[str, str]) -> None:
        """Remember a target; what was known of the service before is forgotten.

        Raises:
            StoreUnavailableError: The database is away.
        """
        scheme = target.url.partition(":")[0]
        row = {
            "service": service,
            "kind": labels.get("language", ""),
            "endpoint": target.instance,
            "labels": json.dumps({**labels, "__scheme__": scheme}),
        }

        async def run(connection: AsyncConnection) -> None:
            await connection.execute(text(_FORGET), {"service": service})
            await connection.execute(text(_WRITE), row)

        await self._store.write(run)


_READ = "SELECT service, endpoint, labels FROM registrations ORDER BY service"
_FORGET = "DELETE FROM registrations WHERE service = :service"
_WRITE = (
    "INSERT INTO registrations (service, kind, endpoint, labels) "
    "VALUES (:service, :kind, :endpoint, :labels)"
)
