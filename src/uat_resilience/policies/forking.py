"""What a forked child must not inherit: locks that nobody will release, calls that nobody will end."""

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Forkable", "renew_after_fork"]


class Forkable(Protocol):
    """A policy with a lock or running counts."""

    def renew(self) -> None:
        """Start with a free lock and nothing running."""
        ...


_alive: "WeakSet[Forkable]" = WeakSet()


def renew_after_fork(policy: Forkable) -> None:
    """Renew this policy in every child that is forked while it lives."""
    _alive.add(policy)


def _renew_all() -> None:
    for policy in list(_alive):
        policy.renew()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_renew_all)
