"""A day of data, as if it had been measured."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_platform.metrics_aggregator.archive.chunks import packed
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["DAY", "filled", "keep_a_day"]

DAY = 86_400_000
SERIES = 400


def filled(*pairs: tuple[int, float]) -> Samples:
    samples = Samples()
    for at, value in pairs:
        samples.append(at, value)
    return samples


async def keep_a_day(made: Parts, now: int) -> None:
    """Keep the day before `now`, of many series that are called `busy`."""

    async def fill(connection: AsyncConnection) -> None:
        rows = [
            {"id": each, "labels": f'{{"__name__": "busy", "n": "{each}"}}'}
            for each in range(SERIES)
        ]
        await connection.execute(
            text("INSERT INTO series (id, metric, labels) VALUES (:id, 'busy', :labels)"), rows
        )
        chunks = []
        for back in range(DAY, 0, -600_000):
            start = (now - back) // 60_000 * 60_000
            samples = filled(*((start + each * 60_000, float(back)) for each in range(10)))
            points = packed(samples)
            chunks += [
                {"series": each, "first": start, "last": samples.times[-1], "points": points}
                for each in range(SERIES)
            ]
        await connection.execute(
            text(
                "INSERT INTO chunks (series, step, first, last, points) "
                "VALUES (:series, 60000, :first, :last, :points)"
            ),
            chunks,
        )

    await made.database()
    await made.store.write(fill)
