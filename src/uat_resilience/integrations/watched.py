"""What gauges show: the snapshots of watched policies, those inside pipelines one by one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from uat_resilience.integrations.handle import Handle
from uat_resilience.integrations.tally import Tally
from uat_resilience.pipeline import PipelineSnapshot

__all__ = [
    "Instrumentation",
    "Slots",
    "Watched",
    "checked_policies",
    "flat",
    "slots_of",
    "snapshots",
]


class Watched(Protocol):
    """A policy with a snapshot: a breaker, a bulkhead, a limiter, a pipeline of them."""

    @property
    def name(self) -> str:
        """What it is called in metrics."""
        ...

    def snapshot(self) -> object:
        """Return the policy at this moment."""
        ...


class Gauges(Protocol):
    """What reads the snapshots of the policies it is given."""

    watched: tuple[Watched, ...]


class Instrumentation(Handle):
    """Metrics that are being kept, and what else was begun with them, until `close()`. Thread-safe.

    Args:
        gauges: Read the snapshots.
        ends: What ends it, each called once.
        tally: What was counted.

    Attributes:
        tally: What was counted, for others that show it too.
    """

    def __init__(self, gauges: Gauges, ends: Iterable[Callable[[], object]], tally: Tally) -> None:
        super().__init__(ends)
        self._gauges = gauges
        self.tally = tally

    def watch(self, *policies: Watched) -> Self:
        """Show the state and the slots of these policies too, read from `snapshot()` whenever metrics are read.

        A pipeline stands for the policies in it. Give each policy a name of its own: of two that share one, the
        last is shown. They are kept alive until `close()`.

        Raises:
            TypeError: One of them is no policy.
        """
        self._gauges.watched = (*self._gauges.watched, *checked_policies(policies))
        return self


@dataclass(frozen=True, slots=True)
class Slots:
    """How many calls a policy has let in, how many wait, and how many it lets in at most."""

    running: int
    waiting: int
    limit: int


def checked_policies(policies: tuple[Watched, ...]) -> tuple[Watched, ...]:
    """Return them if each can be watched. Otherwise all others could no more be read, either.

    Raises:
        TypeError: One of them cannot.
    """
    for each in policies:
        there = hasattr(each, "name") and callable(getattr(each, "snapshot", None))
        if isinstance(each, type) or not there:
            raise TypeError(f"policies must each have a name and snapshot(), not {each!r}")
    return policies


def snapshots(watched: Iterable[Watched]) -> dict[str, object]:
    """Return the snapshot of each policy by its name; of two that share one, the last."""
    return {name: each for policy in watched for name, each in flat(policy.name, policy.snapshot())}


def slots_of(snapshot: object) -> Slots | None:
    """Return the slots of a bulkhead or a limiter, None of anything else."""
    running: int | None = getattr(snapshot, "running", None)
    if running is None:
        return None
    limit: int = getattr(snapshot, "limit", getattr(snapshot, "size", 0))
    return Slots(running, getattr(snapshot, "waiting", 0), limit)


def flat(name: str, snapshot: object) -> Iterator[tuple[str, object]]:
    """Return a snapshot by the name of its policy; a pipeline's are those of the policies in it."""
    if not isinstance(snapshot, PipelineSnapshot):
        yield name, snapshot
        return
    for inner, each in snapshot.policies:
        yield from flat(inner, each)
