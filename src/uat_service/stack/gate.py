"""Whether a service may start, seen from the states of what it needs."""

from collections.abc import Iterable, Mapping, Sequence

from uat_service.stack.definition import Service
from uat_service.stack.state import State, Status

__all__ = ["blocking", "ready"]

_ON_THE_WAY = frozenset({State.WAITING, State.STARTING})


def ready(instances: Iterable[Status]) -> bool:
    """Return whether a service serves: one process that is ready is enough, they share its port."""
    return any(each.state is State.RUNNING or each.state is State.FINISHED for each in instances)


def blocking(service: Service, states: Mapping[str, Sequence[Status]]) -> list[str]:
    """Return what a service still waits for, each with its state; nothing when it may start.

    What it needs must be ready. What it can do without is waited for only while it is on its way.

    Args:
        service: Who wants to start.
        states: The processes of each service that is part of this run.
    """
    required = [
        _told(name, states[name])
        for name in service.needs
        if name in states and not ready(states[name])
    ]
    optional = [
        _told(name, states[name])
        for name in service.optional_needs
        if name in states
        and not ready(states[name])
        and any(each.state in _ON_THE_WAY for each in states[name])
    ]
    return [*required, *optional]


def _told(name: str, instances: Sequence[Status]) -> str:
    return f"{name} ({instances[0].state.value})"
