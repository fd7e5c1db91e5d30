"""Watch the same calls to the same misbehaving server, without and with a pipeline.

Run: `python -m examples.demo` from the root of the repository.
"""

import argparse
import asyncio
import contextlib
import math
import sys

from examples.demo import load, upstream
from examples.demo.clients import Http, NaiveClient, PipelineClient
from examples.demo.load import Side
from examples.demo.picture import Run
from examples.demo.view import View, view_for

FRAME = 0.2
INTERRUPTED = 130


async def demo(view: View, *, seconds: float, seed: int, rate: float) -> None:
    """Run both sides against servers of their own, and show them while they run."""
    async with (
        upstream.running(seed=seed, seconds=seconds) as left,
        upstream.running(seed=seed, seconds=seconds) as right,
    ):
        sides = [
            Side("naive retries", NaiveClient(Http(left.port)), left),
            Side("pipeline", PipelineClient(Http(right.port)), right),
        ]
        run = Run(sides, seconds, seed, rate)
        clock = asyncio.get_running_loop().time
        started = clock()
        view.open()
        try:
            await _watch(view, run, started)
        finally:
            view.close()
            view.conclude(run, min(clock() - started, seconds))


async def _watch(view: View, run: Run, started: float) -> None:
    async with asyncio.TaskGroup() as group:
        for side in run.sides:
            side.upstream.begin()
        watchers = [group.create_task(side.upstream.listen()) for side in run.sides]
        watchers.append(group.create_task(_draw(view, run, started)))
        await load.run(
            run.sides, rate=run.rate, seconds=run.seconds, seed=run.seed, started=started
        )
        # The servers report from time to time; wait for the report that has the last calls in it.
        await asyncio.sleep(2 * FRAME)
        for watcher in watchers:
            watcher.cancel()


async def _draw(view: View, run: Run, started: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        view.show(run, loop.time() - started)
        await asyncio.sleep(FRAME)


def main() -> int:
    """Read the command line, run the demo, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=24.0, help="length of the run")
    parser.add_argument("--seed", type=int, default=7, help="what the server and the callers draw")
    parser.add_argument("--rate", type=_positive, default=24.0, help="calls a second")
    parser.add_argument("--plain", action="store_true", help="plain lines, no live picture")
    args = parser.parse_args()
    view = view_for(sys.stdout, plain=args.plain)
    with contextlib.suppress(BrokenPipeError):
        try:
            asyncio.run(demo(view, seconds=args.seconds, seed=args.seed, rate=args.rate))
        except KeyboardInterrupt:
            return INTERRUPTED
    return 0


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
