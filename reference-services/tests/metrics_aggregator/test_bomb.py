"""One target shows a million series; the others and the memory do not notice."""

import gc
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anyio
from metrics_aggregator.metrics_support.served import client, parts, target

from uat_platform.metrics_aggregator.scraping.scrape import Health
from uat_platform.metrics_aggregator.scraping.target import from_address

SERIES = 1_000_000


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def bomb(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for start in range(0, SERIES, 1_000):
        lines = (
            f'exploding_total{{user="{each:09}",path="/a/rather/long/one"}} 1\n'
            for each in range(start, start + 1_000)
        )
        handler.wfile.write("".join(lines).encode())


async def test_bomb_of_a_million_series_leaves_the_others_and_the_memory_alone(
    tmp_path: Path,
) -> None:
    made = parts(tmp_path, scrape_timeout=30.0)
    pages: dict[str, str | Callable[[Any], None]] = {"/bomb": bomb, "/metrics": "busy 1\n"}
    with target(pages) as address:
        async with client(made):
            quiet = made.roster.made(from_address(address, {"job": "quiet"}))
            loud = made.roster.made(
                from_address(address, {"job": "loud", "__metrics_path__": "/bomb"})
            )
            await quiet.once()
            gc.collect()
            before = resident()
            seconds = list[float]()

            async with anyio.create_task_group() as group:
                group.start_soon(loud.once)
                while loud.outcome.health is Health.UNKNOWN:
                    await quiet.once()
                    seconds.append(quiet.outcome.seconds)
                    assert quiet.outcome.health is Health.UP

            grown = resident() - before
            assert len(loud.ledger) == made.settings.series_per_target
            assert loud.outcome.truncated
            assert loud.outcome.taken.dropped > 10_000
            assert (loud.outcome.health, loud.dropped) == (Health.UP, loud.outcome.taken.dropped)
            # Others have their turn again and again meanwhile, however busy the machine is.
            assert len(seconds) >= 5
            assert max(seconds) < loud.outcome.seconds / 2, (seconds, loud.outcome.seconds)
            assert grown < 40 * 2**20, f"{grown / 2**20:.0f} MiB"
