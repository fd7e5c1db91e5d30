"""`python -m benchmarks.balancing`: load balancers on the same ill replicas, all in one run.

Requests come at a steady rate, and are GETs. A success is an answer of 200; the times are those of successes, from
the moment a request was due. Whoever fails at once looks quick by that, so the last column is of all requests: in
what time 99 % of them had succeeded.

All take turns in several rounds, in an order that is shuffled anew. Successes are those of all rounds, times those
of the round in the middle, as a busy machine spoils some of them.

nginx and HAProxy take part where they are installed.
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

from benchmarks.balancing.contenders import CONTENDERS, running
from benchmarks.balancing.load import Result, offered

__all__ = ["main"]

_PROGRAMS = {"HAProxy": "haproxy", "nginx": "nginx", "uat": sys.executable}
SCENARIOS = {
    "two good, one 10 x slow": ["200:10", "200:10", "200:100"],
    "two good, one fails fast with 503": ["200:10", "200:10", "503:0"],
    "two good, one answers 429": ["200:10", "200:10", "429:0"],
    "one 10 x slow, one 503, one 429": ["200:100", "503:0", "429:0"],
    "three good, one 10 x slow, one 503, one 429": [*["200:10"] * 3, "200:100", "503:0", "429:0"],
}


@contextmanager
def _replicas(specs: list[str]) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "benchmarks.balancing.replicas", *specs]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        assert process.stdout is not None
        yield [int(port) for port in process.stdout.readline().split()]
    finally:
        process.kill()
        process.wait()


def _line(name: str, rounds: list[Result]) -> str:
    failures = sum((Counter(each.failed) for each in rounds), Counter[int]())
    failed = ", ".join(
        f"{count} x {status or 'nothing'}" for status, count in sorted(failures.items())
    )
    succeeded = sum(len(each.times) for each in rounds)
    p50, p99 = (median(each.quantile(share) for each in rounds) * 1000 for share in (0.5, 0.99))
    share = succeeded / max(1, succeeded + failures.total())
    of_all = median(each.within(0.99) for each in rounds) * 1000
    told = "never" if of_all == inf else f"{of_all:.1f}"
    return f"{name:18} {share:8.2%} {p50:8.1f} {p99:8.1f} {told:>8}  {failed}"


def main(arguments: list[str]) -> int:
    """Make one run and print a table for each scenario."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.balancing")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of them in each round")
    parser.add_argument("--rounds", type=int, default=3, help="of all of them")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds that do not count")
    parser.add_argument("--scenario", type=int, help="only this one, from 1")
    parser.add_argument("--seed", type=int, default=1, help="of the order they take turns in")
    options = parser.parse_args(arguments)
    names = [each for each in CONTENDERS if shutil.which(_PROGRAMS[each.split()[0]])]
    chance = Random(options.seed)
    chosen = list(SCENARIOS.items())
    if options.scenario is not None:
        chosen = chosen[options.scenario - 1 : options.scenario]
    for scenario, specs in chosen:
        results: dict[str, list[Result]] = {name: [] for name in names}
        turns = [name for _ in range(options.rounds) for name in chance.sample(names, len(names))]
        with _replicas(specs) as ports:
            for name in turns:
                with running(name, ports) as (port, path):
                    asyncio.run(offered(port, path, rate=options.rate, seconds=options.warm_up))
                    load = offered(port, path, rate=options.rate, seconds=options.seconds)
                    results[name].append(asyncio.run(load))
        each = f"{options.rounds} rounds of {options.seconds:.0f} s"
        print(f"\n{scenario} ({options.rate:.0f} requests/s, {each})")
        print(f"{'':18} {'success':>8} {'p50 ms':>8} {'p99 ms':>8} {'of all':>8}  failures")
        for name in names:
            print(_line(name, results[name]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
