"""Everything that one run found, and on what; as JSON for those who want to compute with it."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

from benchmarks.contenders import OURS, Contender
from benchmarks.contention import Contended
from benchmarks.figures import Figure, Figures, Rejection
from benchmarks.importing import Imported
from benchmarks.measure import Plan
from benchmarks.rows import Row
from benchmarks.targets import judged

__all__ = ["Machine", "Report", "versions"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The class of machine, never which one it is."""

    python: str
    system: str
    architecture: str
    processors: int

    @classmethod
    def here(cls) -> "Machine":
        """Describe the machine that this runs on."""
        python = f"{platform.python_implementation()} {platform.python_version()}"
        return cls(python, platform.system(), platform.machine(), os.cpu_count() or 1)

    def __str__(self) -> str:
        return f"{self.python}, {self.system} on {self.architecture}, {self.processors} processors"


@dataclass(frozen=True, slots=True)
class Report:
    """One run.

    Attributes:
        machine: Where it ran.
        plan: How long.
        rows: What was to be compared.
        contenders: Who was installed.
        missing: Who was not, and why.
        figures: What each call cost.
        rejections: Who was not timed where, and why.
        contention: What several threads found.
        imports: What each import cost.
    """

    machine: Machine
    plan: Plan
    rows: Sequence[Row]
    contenders: Sequence[Contender]
    missing: Sequence[str]
    figures: Sequence[Figure] = ()
    rejections: Sequence[Rejection] = ()
    contention: Sequence[Contended] = ()
    imports: Sequence[Imported] = field(default=())

    @property
    def faults(self) -> list[str]:
        """What ours got wrong; being slow is no fault."""
        return [
            *(
                f"{each.row} ({each.world}): {each.reason}"
                for each in self.rejections
                if each.contender == OURS
            ),
            *(
                f"{each.pattern} under threads: {fault}"
                for each in self.contention
                if each.contender == OURS
                for fault in each.faults
            ),
        ]

    def to_json(self) -> str:
        """Return the run as JSON; times are nanoseconds where nothing else is said."""
        found = {
            "machine": asdict(self.machine),
            "plan": asdict(self.plan),
            "versions": versions(self.contenders),
            "missing": list(self.missing),
            "figures": [{**asdict(each), "over": each.over} for each in self.figures],
            "rejections": [asdict(each) for each in self.rejections],
            "targets": [
                {
                    **asdict(each.target),
                    "ours": each.ours,
                    "theirs": each.theirs,
                    "ratio": each.ratio,
                    "reached": each.reached,
                }
                for each in judged(Figures(self.figures))
            ],
            "contention": [asdict(each) for each in self.contention],
            "imports": [asdict(each) for each in self.imports],
        }
        return json.dumps(found, indent=2) + "\n"


def versions(contenders: Sequence[Contender]) -> dict[str, str]:
    """Return the version of each distribution that takes part."""
    names = dict.fromkeys(who.distribution for who in contenders if who.distribution)
    return {name: version(name) for name in names}
