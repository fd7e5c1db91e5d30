"""`python -m uat_resilience.simulate scenario.toml`: run a scenario, print what came of it, and draw it."""

import argparse
import sys
from collections.abc import Sequence

from uat_resilience.simulate.scenario import Scenario, ScenarioError, load, shipped
from uat_resilience.simulate.table import comparison, summary

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code: 0, or 2 for what cannot be run as it is written."""
    options = _parser().parse_args(arguments)
    try:
        if options.list or options.scenario is None:
            _write(*(f"{name:<{_WIDTH}}  {load(path).title}" for name, path in shipped().items()))
            return 0
        scenario = load(options.scenario)
        _run(scenario, seed=options.seed, plot=options.plot, full=options.full)
    except (ScenarioError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line
        return 2
    return 0


def _run(scenario: Scenario, *, seed: int | None, plot: str | None, full: bool) -> None:
    results = scenario.run(seed=seed)
    _write(scenario.title, "", scenario.about, "", comparison(results))
    if full:
        _write(*(f"\n{summary(result)}" for result in results))
    if plot is not None:
        scenario.plot(results, plot)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m uat_resilience.simulate",
        description="Run a scenario through the real policies on virtual time.",
    )
    parser.add_argument("scenario", nargs="?", help="a TOML file, or the name of a shipped one")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios")
    parser.add_argument("--seed", type=int, help="begin the drawing of lots somewhere else")
    parser.add_argument("--plot", metavar="FILE", help="draw it, as .svg, .png or .pdf")
    parser.add_argument("--full", action="store_true", help="a few lines for each run as well")
    return parser


def _write(*lines: str) -> None:
    print("\n".join(lines))  # noqa: T201 - a command line


_WIDTH = 15  # As wide as the longest name.

if __name__ == "__main__":
    sys.exit(main())
