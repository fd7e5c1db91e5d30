"""`python -m benchmarks`: measure, print the tables, and keep the figures."""

import sys
from collections.abc import Sequence

from benchmarks.compare import compared
from benchmarks.contenders import load
from benchmarks.contention import contended
from benchmarks.importing import imported
from benchmarks.options import Options, parsed
from benchmarks.page import PAGE, page, printed
from benchmarks.report import Machine, Report

__all__ = ["main", "run"]


def main(arguments: Sequence[str]) -> int:
    """Make one run; 1 when ours does what it must not or counts wrong, however fast."""
    options = parsed(arguments)
    report = run(options)
    if options.docs and report.missing:
        print(
            f"docs/benchmarks.md is left as it is; not installed: {report.missing}", file=sys.stderr
        )
    print(printed(report))
    options.json.write_text(report.to_json(), encoding="utf-8")
    if options.docs and not report.missing:
        PAGE.write_text(page(report), encoding="utf-8")
    for fault in report.faults:
        print(f"fault of ours: {fault}", file=sys.stderr)
    return 1 if report.faults else 0


def run(options: Options) -> Report:
    """Measure what was asked for, with whoever is installed."""
    plan = options.plan
    contenders, missing = load()

    def progress(number: int) -> None:
        print(f"\rround {number} of {plan.rounds}", end="", file=sys.stderr, flush=True)

    figures, rejections = (
        compared(options.rows, contenders, plan, progress) if options.rows else ([], [])
    )
    print(file=sys.stderr)
    return Report(
        machine=Machine.here(),
        plan=plan,
        rows=options.rows,
        contenders=contenders,
        missing=missing,
        figures=figures,
        rejections=rejections,
        contention=contended(contenders, plan) if options.threads else [],
        imports=imported(contenders, plan) if options.imports else [],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
