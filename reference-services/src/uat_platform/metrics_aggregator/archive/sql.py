"""What the archive says to its database, SQLite and PostgreSQL alike."""

__all__ = [
    "ALL",
    "CHUNKS",
    "FORGET",
    "MOVE",
    "MOVED",
    "NAME_ALL",
    "NUMBERS",
    "OF_METRIC",
    "ORPHANS",
    "READ",
    "TAILS",
]

_COLUMNS = "series, step, first, last, points"


def _into(table: str, what: str) -> str:
    """Return what writes rows. Of two with the same beginning the longer one holds."""
    return (
        f"INSERT INTO {table} ({_COLUMNS}) {what} ON CONFLICT (series, step, first) DO UPDATE "
        f"SET last = excluded.last, points = excluded.points WHERE excluded.last > {table}.last"
    )


def _out_of(table: str) -> str:
    return (
        f"SELECT series, first, points FROM {table} "  # noqa: S608 - a name of ours
        "WHERE series IN :ids AND step = :step AND first <= :high AND last >= :low"
    )


ALL = "SELECT id, labels FROM series ORDER BY id"
OF_METRIC = "SELECT id, labels FROM series WHERE metric = :metric ORDER BY id"
READ = f"{_out_of('chunks')} UNION ALL {_out_of('tails')} ORDER BY series, first"
CHUNKS, TAILS = (
    _into(table, "VALUES (:series, :step, :first, :last, :points)") for table in ("chunks", "tails")
)
MOVE = _into("chunks", f"SELECT {_COLUMNS} FROM tails WHERE true")  # noqa: S608 - names of ours
# Others may have come in the meantime, from another process that ends.
MOVED = (
    "DELETE FROM tails WHERE EXISTS (SELECT 1 FROM chunks WHERE chunks.series = tails.series "
    "AND chunks.step = tails.step AND chunks.first = tails.first AND chunks.last >= tails.last)"
)
NAME_ALL = (
    "INSERT INTO series (metric, labels) VALUES (:metric, :labels) ON CONFLICT (labels) DO NOTHING"
)
NUMBERS = "SELECT id, labels FROM series WHERE labels IN :labels"
FORGET = "DELETE FROM chunks WHERE step = :step AND last < :last"
ORPHANS = (
    "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.series = series.id) "
    "AND NOT EXISTS (SELECT 1 FROM tails WHERE tails.series = series.id) RETURNING id"
)
