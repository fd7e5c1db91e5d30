"""Load balancers on the same ill replicas, all in one run.

Requests come at a steady rate, and are GETs. A success is an answer of 200; the times are those of successes, from
the moment a request was due. Whoever fails at once looks quick by that, so one column is of all requests: in what
time 99 % of them had succeeded.

All take turns in several rounds, in an order that is shuffled anew. Successes are those of all rounds, times those
of the round in the middle, as a busy machine spoils some of them.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from random import Random
from statistics import median

from benchmarks.platform.contenders import CONTENDERS, running
from benchmarks.platform.load import Result, offered
from benchmarks.services.tables import table

__all__ = ["SCENARIOS", "missing", "tables"]

_PROGRAMS = {"HAProxy": "haproxy", "nginx": "nginx", "uat": sys.executable}
SCENARIOS = {
    "One 10 x slow, one fails with 503, one answers 429": ["200:100", "503:0", "429:0"],
    "Three good, and those three": [*["200:10"] * 3, "200:100", "503:0", "429:0"],
    "Two good, one 10 x slow": ["200:10", "200:10", "200:100"],
    "Two good, one fails with 503": ["200:10", "200:10", "503:0"],
    "Two good, one answers 429": ["200:10", "200:10", "429:0"],
}
"""Replicas by what they are together: the status and the milliseconds of each."""


def tables(options: argparse.Namespace) -> Iterator[str]:
    """Play each scenario, and yield a headed table of it."""
    names = [each for each in CONTENDERS if _program(each)]
    chance = Random(options.seed)
    for scenario, specs in SCENARIOS.items():
        results: dict[str, list[Result]] = {name: [] for name in names}
        turns = [name for _ in range(options.rounds) for name in chance.sample(names, len(names))]
        with _replicas(specs) as ports:
            for name in turns:
                with running(name, ports) as (port, request):
                    for seconds in (options.warm_up, options.seconds):
                        load = offered(port, request, rate=options.rate, seconds=seconds)
                        result = asyncio.run(load)
                    results[name].append(result)
        head = ["load balancer", "success", "p50 ms", "p99 ms", "99 % of all, ms", "failures"]
        lines = table(head, ([name, *_cells(each)] for name, each in results.items()))
        yield f"### {scenario}\n\n{lines}"


def missing() -> str:
    """Return who did not take part."""
    absent = dict.fromkeys(name.split()[0] for name in CONTENDERS if not _program(name))
    return "\n".join(
        f"{name} did not take part: apt-get install {_PROGRAMS[name]}" for name in absent
    )


def _program(name: str) -> str | None:
    return shutil.which(_PROGRAMS[name.split(maxsplit=1)[0]])


@contextmanager
def _replicas(specs: list[str]) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "benchmarks.platform.replicas", *specs]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        assert process.stdout is not None
        yield [int(port) for port in process.stdout.readline().split()]
    finally:
        process.kill()
        process.wait()


def _cells(rounds: list[Result]) -> list[str]:
    failures = sum((Counter(each.failed) for each in rounds), Counter[int]())
    failed = ", ".join(
        f"{count} x {status or 'nothing'}" for status, count in sorted(failures.items())
    )
    succeeded = sum(len(each.times) for each in rounds)
    p50, p99 = (median(each.quantile(share) for each in rounds) * 1000 for share in (0.5, 0.99))
    share = succeeded / max(1, succeeded + failures.total())
    of_all = median(each.within(0.99) for each in rounds) * 1000
    told = "never" if of_all == inf else f"{of_all:.1f}"
    return [f"{share:.2%}", f"{p50:.1f}", f"{p99:.1f}", told, failed]
