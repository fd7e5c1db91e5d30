"""Our answers and Prometheus' to the same queries over the same target."""

import random  # noqa: TID251 - seeded
from pathlib import Path

import pytest
from metrics_aggregator.metrics_support.answers import same
from metrics_aggregator.metrics_support.generated import Generator
from metrics_aggregator.metrics_support.prometheus import prometheus
from metrics_aggregator.metrics_support.served import client, parts
from metrics_aggregator.metrics_support.walk import ONCE, STEP, STEPS, Walker, walk

from uat_platform.metrics_aggregator.scraping.target import from_address
from uat_resilience.clock import wall_time

QUERIES = 200


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_two_hundred_queries_have_the_answers_that_prometheus_gives(tmp_path: Path) -> None:
    start = (int(wall_time() * 1000) - STEPS * STEP - 60_000) // STEP * STEP
    walker = Walker(walk(1, start))
    made = parts(tmp_path)
    draw, lot = Generator(7), random.Random(7)
    others, answered = list[str](), 0
    with (
        walker.serving(),
        prometheus(
            tmp_path, target=walker.port, path="/theirs", job="walk", seen=walker.seen("/theirs")
        ) as theirs,
    ):
        target = from_address(f"127.0.0.1:{walker.port}", {"job": "walk", "__metrics_path__": ONCE})
        async with client(made) as ours:
            scrape = made.roster.made(target)
            for _ in range(STEPS):
                await scrape.once()
            made.queries.covers(start)

            for _ in range(QUERIES):
                query = draw.query()
                # Every second time is one that samples have: the ends of spans are where mistakes are.
                at = start + lot.randrange(STEPS * STEP + 400_000) // 1000 * 1000
                at = at // STEP * STEP if lot.random() < 0.5 else at
                step = lot.choice((15_000, 37_000, 60_000))
                for path, asked in (
                    ("query", {"query": query, "time": at / 1000}),
                    (
                        "query_range",
                        {
                            "query": query,
                            "start": start / 1000 + 30,
                            "end": start / 1000 + STEPS * STEP / 1000 + 300,
                            "step": step / 1000,
                        },
                    ),
                ):
                    mine = (await ours.get(f"/api/v1/{path}", params=asked)).json()
                    other = theirs.get(f"/api/v1/{path}", params=asked).json()
                    answered += other["status"] == "success" and other["data"]["result"] != []
                    if not same(mine, other, ordered=query.startswith("sort")):
                        others.append(f"{path} {query} at {at - start}\n  {mine}\n  {other}")

    assert not others, "\n".join(others[:5])
    assert answered > QUERIES  # Most have something to say.
