"""What gauges show: the snapshots of watched policies, those inside pipelines one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from uat_resilience.pipeline import PipelineSnapshot

__all__ = ["Slots", "Watched", "slots_of", "snapshots"]


class Watched(Protocol):
    """A policy with a snapshot: a breaker, a bulkhead, a limiter, a pipeline of them."""

    @property
    def name(self) -> str:
        """What it is called in metrics."""
        ...

    def snapshot(self) -> object:
        """Return the policy at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Slots:
    """How many calls a policy has let in, how many wait, and how many it lets in at most."""

    running: int
    waiting: int
    limit: int


def snapshots(watched: Iterable[Watched]) -> dict[str, object]:
    """Return the snapshot of each policy by its name; of two that share one, the last."""
    return {
        name: each for policy in watched for name, each in _flat(policy.name, policy.snapshot())
    }


def slots_of(snapshot: object) -> Slots | None:
    """Return the slots of a bulkhead or a limiter, None of anything else."""
    running: int | None = getattr(snapshot, "running", None)
    if running is None:
        return None
    limit: int = getattr(snapshot, "limit", getattr(snapshot, "size", 0))
    return Slots(running, getattr(snapshot, "waiting", 0), limit)


def _flat(name: str, snapshot: object) -> Iterator[tuple[str, object]]:
    if not isinstance(snapshot, PipelineSnapshot):
        yield name, snapshot
        return
    for inner, each in snapshot.policies:
        yield from _flat(inner, each)
