"""What can be asked of a run on the command line."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import Plan
from benchmarks.rows import ROWS, Row

__all__ = ["Options", "parsed"]

RESULTS = Path(__file__).with_name("results.json")
_QUICK = Plan(rounds=3, burst=0.0005, contended=200, processes=1)
_THREADS = "threads"
_IMPORTS = "imports"
_KEYS = (*(row.key for row in ROWS), _THREADS, _IMPORTS)


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, for how long, and where it goes."""

    plan: Plan
    rows: Sequence[Row]
    threads: bool
    imports: bool
    json: Path
    docs: bool


def parsed(arguments: Sequence[str]) -> Options:
    """Read the command line; on a mistake say what it is and leave."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.docs and (given.only or given.quick):
        parser.error("--docs needs a whole run: leave out --only and --quick")
    only: Sequence[str] = given.only or _KEYS
    plan = _QUICK if given.quick else Plan()
    return Options(
        plan=replace(plan, rounds=given.rounds or plan.rounds, seed=given.seed),
        rows=[row for row in ROWS if row.key in only],
        threads=_THREADS in only,
        imports=_IMPORTS in only,
        json=given.json,
        docs=given.docs,
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        "benchmarks", description="Measure what guarded calls cost, ours and others'."
    )
    parser.add_argument(
        "--only", type=_keys, metavar="KEY,...", help=f"measure these only: {', '.join(_KEYS)}"
    )
    parser.add_argument(
        "--rounds", type=_count, metavar="N", help=f"visits to each (default: {Plan().rounds})"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=Plan().seed,
        metavar="N",
        help="of the order (default: %(default)s)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=RESULTS,
        metavar="PATH",
        help="where the figures go (default: %(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="see that it works; the figures mean little"
    )
    parser.add_argument(
        "--docs", action="store_true", help="write docs/benchmarks.md from this run"
    )
    return parser


def _keys(text: str) -> list[str]:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    unknown = [key for key in keys if key not in _KEYS]
    if unknown or not keys:
        raise ArgumentTypeError(
            f"no such key: {', '.join(unknown) or 'none given'}; known: {', '.join(_KEYS)}"
        )
    return keys


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text}")
    return int(text)
