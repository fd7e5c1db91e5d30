"""SQL as it is written: three ways to run a statement with named values."""

from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Row", "change", "every", "first"]

Row = dict[str, Any]
"""Values by the names of columns. Where two columns have one name, the last of them counts."""


async def first(connection: AsyncConnection, statement: str, **values: object) -> Row | None:
    """Return the first row, or None."""
    row = (await connection.execute(_parsed(statement), _told(values))).mappings().first()
    return None if row is None else dict(row)


async def every(connection: AsyncConnection, statement: str, **values: object) -> list[Row]:
    """Return all rows."""
    rows = (await connection.execute(_parsed(statement), _told(values))).mappings().all()
    return [dict(row) for row in rows]


async def change(connection: AsyncConnection, statement: str, **values: object) -> int:
    """Return how many rows have changed."""
    return (await connection.execute(_parsed(statement), _told(values))).rowcount


def _told(values: dict[str, object]) -> dict[str, object]:
    # PostgreSQL has no letter 0 in a text, and what strangers send has.
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in values.items()
    }


@lru_cache(maxsize=200)
def _parsed(statement: str) -> TextClause:
    return text(statement)
