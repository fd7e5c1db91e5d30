"""What an import costs: the time it takes in a fresh interpreter, and whether it brings asyncio along."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.contenders import Contender
from benchmarks.measure import Plan

__all__ = ["Imported", "imported"]

# The interpreter's own start is over when this begins.
_PROBE = """
import sys
from importlib import import_module
from time import perf_counter
started = perf_counter()
import_module(sys.argv[1])
print(perf_counter() - started, "asyncio" in sys.modules)
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """The import of one module.

    Attributes:
        module: What was imported.
        milliseconds: How long it took, in the best of several processes.
        asyncio: True when asyncio was loaded afterwards.
    """

    module: str
    milliseconds: float
    asyncio: bool


def imported(contenders: Iterable[Contender], plan: Plan) -> list[Imported]:
    """Import what a user of each installed library imports, compiled beforehand, in shuffled turns."""
    rng = Random(plan.seed)
    modules = list(dict.fromkeys(who.module for who in contenders if who.distribution))
    found: dict[str, list[Imported]] = {module: [] for module in modules}
    order = list(modules)
    with TemporaryDirectory() as bytecode:
        for module in modules:
            _import(module, bytecode)
        for _ in range(plan.processes):
            rng.shuffle(order)
            for module in order:
                found[module].append(_import(module, bytecode))
    return [min(found[module], key=lambda each: each.milliseconds) for module in modules]


def _import(module: str, bytecode: str) -> Imported:
    # An installed package is compiled once. Here, too, whatever the environment says about bytecode.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    command = [sys.executable, "-c", _PROBE, module]
    done = subprocess.run(  # noqa: S603 - of our own making
        command, capture_output=True, text=True, check=True, env=environment
    )
    seconds, asyncio = done.stdout.split()
    return Imported(module, float(seconds) * 1e3, asyncio == "True")
