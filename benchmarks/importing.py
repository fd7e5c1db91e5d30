"""What an import costs: the time it takes in a fresh interpreter, and whether it brings asyncio along."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.contenders import OURS, Contender
from benchmarks.measure import Plan

__all__ = ["PACKAGE", "PIPELINE", "Imported", "imported"]

PACKAGE = f"import {OURS}"
"""The import of the package alone, which loads what is asked for later."""

PIPELINE = f"from {OURS} import Bulkhead, CircuitBreaker, Pipeline, Retry, Timeout"
"""What a program that guards its calls imports."""

# The interpreter's own start is over when this begins.
_PROBE = """
import sys
from time import perf_counter
started = perf_counter()
exec(sys.argv[1])
print(perf_counter() - started, "asyncio" in sys.modules)
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """One import.

    Attributes:
        statement: What was imported.
        milliseconds: How long it took, in the best of several processes.
        asyncio: True when asyncio was loaded afterwards.
    """

    statement: str
    milliseconds: float
    asyncio: bool


def imported(contenders: Iterable[Contender], plan: Plan) -> list[Imported]:
    """Import what a user of each installed library imports, compiled beforehand, in shuffled turns."""
    rng = Random(plan.seed)
    modules = dict.fromkeys(who.module for who in contenders if who.distribution)
    statements = [f"import {module}" for module in modules]
    if PACKAGE in statements:
        statements.append(PIPELINE)
    found: dict[str, list[Imported]] = {statement: [] for statement in statements}
    order = list(statements)
    with TemporaryDirectory() as bytecode:
        for statement in statements:
            _import(statement, bytecode)
        for _ in range(plan.processes):
            rng.shuffle(order)
            for statement in order:
                found[statement].append(_import(statement, bytecode))
    return [min(each, key=lambda one: one.milliseconds) for each in found.values()]


def _import(statement: str, bytecode: str) -> Imported:
    # An installed package is compiled once. Here, too, whatever the environment says about bytecode.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    command = [sys.executable, "-c", _PROBE, statement]
    done = subprocess.run(  # noqa: S603 - of our own making
        command, capture_output=True, text=True, check=True, env=environment
    )
    seconds, asyncio = done.stdout.split()
    return Imported(statement, float(seconds) * 1e3, asyncio == "True")
