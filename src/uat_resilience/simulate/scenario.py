"""A scenario: one workload and one dependency, and several ways to call it, to be compared."""

import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uat_resilience._core.arguments import at_least, seconds, text
from uat_resilience.pipeline import Pipeline
from uat_resilience.policies.policy import Policy
from uat_resilience.simulate.dependency import Dependency
from uat_resilience.simulate.kinds import ARRIVALS, LATENCIES, POLICIES, TROUBLES
from uat_resilience.simulate.result import Result
from uat_resilience.simulate.settings import ScenarioError, Table
from uat_resilience.simulate.simulation import run
from uat_resilience.simulate.workload import Workload

__all__ = ["Scenario", "ScenarioError", "Variant", "load", "parse", "shipped"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to call the dependency.

    Attributes:
        name: What it is called.
        clients: Processes that call, each with policies of its own.
        settings: The policies, outermost first, as they stand in the file.
    """

    name: str
    clients: int
    settings: tuple[Table, ...]

    def policies(self) -> list[Policy]:
        """Return new policies, one for each client.

        Raises:
            ScenarioError: One cannot be made as it is described.
        """
        return [self._pipeline() for _ in range(self.clients)]

    def _pipeline(self) -> Policy:
        policies = [settings.made(POLICIES) for settings in self.settings]
        with warnings.catch_warnings():
            # A scenario may show what a doubtful order leads to.
            warnings.simplefilter("ignore", UserWarning)
            return Pipeline(*policies, name=self.name)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One workload and one dependency, and several ways to call it.

    Attributes:
        title: What it is called.
        about: What it shows, in a few sentences.
        seed: Where all drawing of lots begins.
        bucket: Seconds that are counted together.
        workload: What is asked.
        dependency: What is called.
        variants: The ways to call it.
    """

    title: str
    about: str
    seed: int
    bucket: float
    workload: Workload
    dependency: Dependency
    variants: tuple[Variant, ...]

    def run(self, *, seed: int | None = None) -> list[Result]:
        """Run every variant, each with the same calls, and return what came of them, in order.

        Args:
            seed: Where the drawing of lots begins instead.
        """
        return [
            run(
                self.workload,
                self.dependency,
                variant.policies(),
                seed=self.seed if seed is None else seed,
                bucket=self.bucket,
                title=variant.name,
            )
            for variant in self.variants
        ]

    def plot(self, results: Sequence[Result], path: str | Path) -> None:
        """Draw results above each other, with the time shaded in which the dependency is not well.

        Raises:
            ImportError: matplotlib is missing; the message says what to install.
        """
        from uat_resilience.simulate.plot import draw  # noqa: PLC0415 - needs an optional library

        draw(results, path, title=self.title, shaded=self.troubled)

    @property
    def troubled(self) -> list[tuple[float, float]]:
        """The stretches of time in which the dependency is not well."""
        return [(each.at, each.at + each.lasts) for each in self.dependency.troubles]


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with the library, by name."""
    folder = Path(__file__).parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load(path: str | Path) -> Scenario:
    """Read a scenario from a file, or one that is shipped by its name.

    Raises:
        ScenarioError: It is no file, no TOML, or no scenario; the message names the key, the rule and the value.
    """
    known = shipped()
    found = known.get(str(path), Path(path))
    if not found.is_file():
        raise ScenarioError(
            f"scenario must be a file or one of {', '.join(known)}, not {str(path)!r}"
        )
    try:
        values = tomllib.loads(found.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{found} must be a TOML file: {error}") from error
    return parse(values)


def parse(values: Mapping[str, object]) -> Scenario:
    """Make a scenario of what a file says.

    Raises:
        ScenarioError: The message names the key, the rule and the value.
    """
    file = Table(dict(values))
    workload, dependency = file.table("workload"), file.table("dependency")
    return file.making(
        _scenario,
        beside=("workload", "dependency", "run"),
        workload=workload.making(
            Workload, beside=("arrivals",), arrivals=workload.table("arrivals").made(ARRIVALS)
        ),
        dependency=dependency.making(
            Dependency,
            beside=("latency", "troubles"),
            latency=dependency.table("latency").made(LATENCIES),
            troubles=tuple(each.made(TROUBLES) for each in dependency.tables("troubles")),
        ),
        variants=tuple(map(_variant, file.tables("run"))),
    )


def _scenario(
    *,
    title: str = "scenario",
    about: str = "",
    seed: int = 0,
    bucket: float = 1.0,
    workload: Workload,
    dependency: Dependency,
    variants: tuple[Variant, ...],
) -> Scenario:
    if not variants:
        raise ValueError("run must be a list of at least one table, not []")
    return Scenario(
        title=text("title", title),
        about=text("about", about or title).strip(),
        seed=at_least("seed", seed, 0),
        bucket=seconds("bucket", bucket),
        workload=workload,
        dependency=dependency,
        variants=variants,
    )


def _variant(table: Table) -> Variant:
    variant = table.making(_named, beside=("policies",), settings=tuple(table.tables("policies")))
    variant.policies()  # Made now, so that a mistake is told before anything runs.
    return variant


def _named(*, name: str, clients: int = 1, settings: tuple[Table, ...]) -> Variant:
    return Variant(text("name", name), at_least("clients", clients, 1), settings)
