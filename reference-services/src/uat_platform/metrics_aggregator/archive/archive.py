"""The database of down-samples. At the start nothing is read from it; queries read what they need.

    chunks     by series, then time: what queries read is together
    tails      the same; what is written at the end

A series has pages of its own among the chunks, so each row that is written there is another page of the disk. That
is for the background. At the end somebody waits: what is left goes close together into the tails, and the next
flush, of whoever runs then, puts it where it belongs.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.metrics_aggregator.archive import sql
from uat_platform.metrics_aggregator.archive.chunks import Tier, packed, thinned, unpacked
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, labelled, value_of
from uat_platform.metrics_aggregator.series.matchers import Matcher, matches, metric_of
from uat_platform.metrics_aggregator.series.memory import Kept
from uat_platform.metrics_aggregator.series.samples import Samples, Series
from uat_service.store import Store

__all__ = ["Archive"]

_TOGETHER = 400
_AT_ONCE = 4_000
"""Rows of one transaction, of which each waits for the disk once; others that write wait for it."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Samples of a series that are to be written."""

    kept: Kept
    step: int
    samples: Samples


class Archive:
    """Keep down-samples of series, the finer ones for a shorter time. Belongs to one event loop.

    Args:
        store: The database.
        fine: The finer samples.
        coarse: The others.
        prepare: Makes sure that the tables are there; called before each use.
    """

    def __init__(
        self, store: Store, *, fine: Tier, coarse: Tier, prepare: Callable[[], Awaitable[None]]
    ) -> None:
        self._store = store
        self._prepare = prepare
        self._fine, self._coarse = fine, coarse
        self._ids: dict[Labels, int] = {}
        self._written: dict[int, int] = {}

    async def flush(self, series: Iterable[Kept], now: int) -> int:
        """Write what is due and new since the last time; return how many samples those are.

        Args:
            series: Of the memory.
            now: In milliseconds.

        Raises:
            StoreUnavailableError: The database is away; the next time all of it is tried again.
        """
        await self._store.write(_settle)
        due = [
            tier
            for tier in (self._fine, self._coarse)
            if now - self._written.get(tier.step, 0) >= tier.every
        ]
        series = [*series]
        known = [each.labels for each in series if each.labels in self._ids]
        self._ids = {labels: self._ids[labels] for labels in known}
        # Only steps that are over: the last sample of the running one is still to come.
        rows = [
            row
            for kept in series
            for tier in due
            for row in _new(kept, tier, now // tier.step * tier.step - 1)
        ]
        await self._written_down(rows, sql.CHUNKS)
        for tier in due:
            self._written[tier.step] = now
        return sum(len(row.samples) for row in rows)

    async def end(self, series: Iterable[Kept], now: int) -> None:
        """Write all that was not written yet, because this is the end.

        Args:
            series: Of the memory.
            now: In milliseconds.

        Raises:
            StoreUnavailableError: The database is away.
        """
        tiers = (self._fine, self._coarse)
        rows = [row for kept in series for tier in tiers for row in _new(kept, tier, now)]
        await self._written_down(rows, sql.TAILS)

    async def forget(self, now: int) -> None:
        """Drop what is older than it should be.

        Raises:
            StoreUnavailableError: The database is away.
        """

        async def run(connection: AsyncConnection) -> set[int]:
            for tier in (self._fine, self._coarse):
                told = {"step": tier.step, "last": now - tier.span}
                await connection.execute(text(sql.FORGET), told)
            return {int(id_) for (id_,) in await connection.execute(text(sql.ORPHANS))}

        gone = await self._store.write(run)
        self._ids = {labels: id_ for labels, id_ in self._ids.items() if id_ not in gone}

    async def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, now: int
    ) -> list[Series]:
        """Return the series that fit, with the samples of a span, both ends included.

        Raises:
            StoreUnavailableError: The database is away.
        """
        await self._prepare()
        border = now - self._fine.span
        async with self._store.read() as connection:
            ids = await self._find(connection, matchers)
            found: dict[int, Samples] = {}
            for tier, low, high in (
                (self._coarse, start, min(end, border - 1)),
                (self._fine, max(start, border), end),
            ):
                if low <= high:
                    await self._read(connection, [*ids], tier.step, (low, high), found)
        return [Series(ids[id_], found[id_]) for id_ in ids if id_ in found]

    async def _find(
        self, connection: AsyncConnection, matchers: tuple[Matcher, ...]
    ) -> dict[int, Labels]:
        metric = metric_of(matchers)
        query = sql.ALL if metric is None else sql.OF_METRIC
        rows = await connection.execute(text(query), {} if metric is None else {"metric": metric})
        found = {int(id_): labelled(json.loads(labels)) for id_, labels in rows}
        return {id_: labels for id_, labels in found.items() if matches(matchers, labels)}

    async def _read(
        self,
        connection: AsyncConnection,
        ids: Sequence[int],
        step: int,
        span: tuple[int, int],
        found: dict[int, Samples],
    ) -> None:
        low, high = span
        query = text(sql.READ).bindparams(bindparam("ids", expanding=True))
        for at in range(0, len(ids), _TOGETHER):
            told = {"ids": ids[at : at + _TOGETHER], "step": step, "low": low, "high": high}
            for id_, _, points in await connection.execute(query, told):
                samples = found.setdefault(int(id_), Samples())
                for time, value in unpacked(bytes(points)).between(low, high):
                    samples.append(time, value)

    async def _written_down(self, rows: Sequence[_Row], into: str) -> None:
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            self._ids |= await self._store.write(partial(self._write, rows=part, into=into))
            for row in part:
                row.kept.archived[row.step] = row.samples.times[-1]

    async def _write(
        self, connection: AsyncConnection, rows: Sequence[_Row], into: str
    ) -> dict[Labels, int]:
        """Write samples; return the numbers of series that were not known, which hold once that is committed."""
        new: dict[Labels, int] = {}
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            new |= await self._identified(connection, [row.kept.labels for row in part])
        ids = self._ids | new
        told = [
            {
                "series": ids[row.kept.labels],
                "step": row.step,
                "first": row.samples.times[0],
                "last": row.samples.times[-1],
                "points": packed(row.samples),
            }
            for row in rows
        ]
        await connection.execute(text(into), told)
        return new

    async def _identified(
        self, connection: AsyncConnection, wanted: Iterable[Labels]
    ) -> dict[Labels, int]:
        """Return the numbers of series that are not known yet; those that have none get one."""
        new = {json.dumps(dict(each)): each for each in wanted if each not in self._ids}
        if not new:
            return {}
        told = [
            {"metric": value_of(each, NAME), "labels": written} for written, each in new.items()
        ]
        await connection.execute(text(sql.NAME_ALL), told)
        query = text(sql.NUMBERS).bindparams(bindparam("labels", expanding=True))
        rows = await connection.execute(query, {"labels": [*new]})
        return {new[written]: int(id_) for id_, written in rows}


async def _settle(connection: AsyncConnection) -> None:
    """Put what was written at an end where it belongs."""
    await connection.execute(text(sql.MOVE))
    await connection.execute(text(sql.MOVED))


def _new(kept: Kept, tier: Tier, until: int) -> list[_Row]:
    """Return the down-samples of a series that were not written yet."""
    after = kept.archived.get(tier.step, -1)
    samples = thinned(kept.samples, after=after, until=until, step=tier.step)
    return [_Row(kept, tier.step, samples)] if samples.times else []
