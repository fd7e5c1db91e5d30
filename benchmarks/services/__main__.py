"""`python -m benchmarks.services`: reverse proxies side by side, then hello routes, each in one interleaved run.

Each server and the upstream are processes of their own. nginx and HAProxy take part where they are installed.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.report import Machine
from benchmarks.services import tables
from benchmarks.services.hello import HELLOS
from benchmarks.services.measure import in_bursts, of_one_long_answer, of_rates
from benchmarks.services.processes import FOREIGN, Running, foreign, python
from benchmarks.services.proxies import PROXIES

__all__ = ["main"]

_PAGE = Path(__file__).parents[2] / "docs" / "benchmarks-services.md"
_TEMPLATE = Path(__file__).with_name("page.md")


def main(arguments: list[str]) -> int:
    """Make one run, print the tables, and write the page when it is asked for."""
    options = _options(arguments)
    found: dict[str, str] = {}
    if options.only in {None, "proxies"}:
        found |= _proxies(options)
    if options.only in {None, "hellos"}:
        found |= _hellos(options)
    print("\n\n".join(text for text in found.values() if text))
    if options.docs:
        page = _TEMPLATE.read_text(encoding="utf-8")
        filled = page.format(**found, **vars(options), machine=Machine.here())
        _PAGE.write_text(filled.replace("\n\n\n", "\n"), encoding="utf-8")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.services")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=2000, help="in each burst")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rates", type=int, nargs="*", default=[200, 500, 1000, 2000])
    parser.add_argument("--seconds", type=float, default=3.0, help="at each fixed rate")
    parser.add_argument("--megabytes", type=int, default=3000, help="of the one long answer")
    parser.add_argument("--only", choices=("proxies", "hellos"), help="measure one part of it")
    parser.add_argument("--docs", action="store_true", help=f"write {_PAGE.name}, too")
    options = parser.parse_args(arguments)
    if options.docs and options.only:
        parser.error("--docs needs all of it: leave out --only")
    return options


def _proxies(options: argparse.Namespace) -> dict[str, str]:
    with ExitStack() as ends:
        upstream = ends.enter_context(python("benchmarks.services.upstream")).port
        origin = f"http://127.0.0.1:{upstream}"
        running: dict[str, Running] = {
            name: ends.enter_context(python("benchmarks.services.proxies", name, origin))
            for name in PROXIES
        }
        for loop in ("uvloop", "asyncio"):
            running[f"gateway, {loop}"] = ends.enter_context(
                python("benchmarks.services.gateway", loop, origin)
            )
        for name, each in FOREIGN.items():
            if each.path is not None:
                running[name] = ends.enter_context(foreign(each, upstream))
        found = dict(in_bursts(running, options))
        of_rates(running, found, options)
        of_one_long_answer(running, found, megabytes=options.megabytes)
    missing = [
        f"{name} did not take part: apt-get install {each.program}"
        for name, each in FOREIGN.items()
        if each.path is None
    ]
    return {
        "proxies": tables.bursts(found, what="proxy", base="httpx"),
        "paced": tables.rates(found, options.rates),
        "long": tables.long_answers(found),
        "missing": "\n".join(missing),
    }


def _hellos(options: argparse.Namespace) -> dict[str, str]:
    with ExitStack() as ends:
        running = {
            name: ends.enter_context(python("benchmarks.services.hello", name)) for name in HELLOS
        }
        found = in_bursts(running, options)
    return {"hellos": tables.bursts(found, what="application", base="Litestar")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
