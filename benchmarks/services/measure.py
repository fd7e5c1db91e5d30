"""Bursts of all that are compared, taking turns; then requests at fixed rates; then one long answer."""

import argparse
import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random

from benchmarks.services.load import Load, Pace, drained
from benchmarks.services.processes import Running

__all__ = ["Measured", "in_bursts", "of_one_long_answer", "of_rates"]

_ROOM = 0.75  # Of the best burst: beyond that a queue grows, and its length is all that is seen.


@dataclass(slots=True)
class Measured:
    """What one of them reached.

    Attributes:
        rate: Requests per second, in its best burst.
        times: Seconds of each request of that burst, sorted.
        cost: Seconds of processor time for a request, in the burst that took least.
        paced: By requests per second: seconds of each request at that rate, sorted; None where it is too fast.
        grown: Megabytes that one long answer took.
    """

    rate: float = 0.0
    times: list[float] = field(default_factory=list[float])
    cost: float = inf
    paced: dict[int, list[float] | None] = field(default_factory=dict[int, list[float] | None])
    grown: float = 0.0


Found = Mapping[str, Measured]


def in_bursts(running: Mapping[str, Running], options: argparse.Namespace) -> Found:
    """Let all of them take turns, in an order shuffled anew each round; the best round counts."""
    found = {name: Measured() for name in running}
    for name in _shuffled(list(running), options.rounds):
        server, one = running[name], found[name]
        load = Load(server.port, requests=options.requests, clients=options.clients)
        spent = server.spent()
        rate = asyncio.run(load.run())
        one.cost = min(one.cost, (server.spent() - spent) / options.requests)
        if rate > one.rate:
            one.rate, one.times = rate, sorted(load.times)
    return found


def of_rates(running: Mapping[str, Running], found: Found, options: argparse.Namespace) -> None:
    """Add the times at fixed rates: of three rounds the one with the best 99th percentile."""
    for rate in options.rates:
        able = [name for name, one in found.items() if rate <= one.rate * _ROOM]
        for name in found.keys() - set(able):
            found[name].paced[rate] = None
        for name in _shuffled(able, 3):
            pace = Pace(
                running[name].port,
                rate=rate,
                seconds=options.seconds,
                connections=options.clients,
            )
            times, best = asyncio.run(pace.run()), found[name].paced.get(rate)
            if best is None or _late(times) < _late(best):
                found[name].paced[rate] = times


def of_one_long_answer(running: Mapping[str, Running], found: Found, *, megabytes: int) -> None:
    """Add the memory that one long answer took."""
    for name, server in running.items():
        before = server.memory()
        got = asyncio.run(drained(server.port, f"/{megabytes}"))
        assert got > megabytes * 1_000_000, f"{name} lost something"
        found[name].grown = server.memory() - before


def _shuffled(names: list[str], rounds: int) -> Iterator[str]:
    chance = Random(1)
    for _ in range(rounds):
        chance.shuffle(names)
        yield from names


def _late(times: list[float]) -> float:
    return times[len(times) * 99 // 100]
