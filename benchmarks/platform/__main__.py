"""`python -m benchmarks.platform`: services of the platform when something is wrong, beside others of their kind.

nginx and HAProxy take part where they are installed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.platform import balancing, logins
from benchmarks.report import Machine

__all__ = ["main"]

_PAGE = Path(__file__).parents[2] / "docs" / "benchmarks-platform.md"
_TEMPLATE = Path(__file__).with_name("page.md")
_PARTS: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "balancing": balancing.tables,
    "logins": logins.tables,
}


def main(arguments: list[str]) -> int:
    """Make one run, print the tables, and write the page when it is asked for."""
    options = _options(arguments)
    found: dict[str, str] = {}
    for part, tables in _PARTS.items():
        if options.only in {None, part}:
            found[part] = "\n\n".join(_shown(tables(options)))
    if options.docs:
        page = _TEMPLATE.read_text(encoding="utf-8")
        told = {**vars(options), "machine": Machine.here(), "missing": balancing.missing()}
        filled = page.format(**found, **told)
        _PAGE.write_text(filled.replace("\n\n\n", "\n"), encoding="utf-8")
    return 0


def _shown(tables: Iterator[str]) -> Iterator[str]:
    for each in tables:
        print(f"\n{each}", flush=True)
        yield each


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.platform")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second to balance")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each in each round")
    parser.add_argument("--rounds", type=int, default=3, help="of all of them")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds that do not count")
    parser.add_argument("--seed", type=int, default=1, help="of the order they take turns in")
    parser.add_argument("--only", choices=_PARTS, help="measure one part of it")
    parser.add_argument("--docs", action="store_true", help=f"write {_PAGE.name}, too")
    options = parser.parse_args(arguments)
    if options.docs and options.only:
        parser.error("--docs needs all of it: leave out --only")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
