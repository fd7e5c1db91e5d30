"""Where the instances of a service are: what everybody who calls another service asks."""

from typing import Protocol, runtime_checkable

from uat_service.resolver.instance import Instance

__all__ = ["Resolver", "Source"]


@runtime_checkable
class Resolver(Protocol):
    """Knows where services are. Never makes a request wait for what it could have known before."""

    def resolve(self, name: str) -> list[Instance]:
        """Return the instances of a service as they are known now; empty when none are."""
        ...

    async def find(self, name: str) -> list[Instance]:
        """Return the same; of a name nobody has asked for before, after the first look."""
        ...


@runtime_checkable
class Source(Protocol):
    """Somewhere that instances can be looked up."""

    async def look_up(self, name: str) -> list[Instance]:
        """Return the instances of a service.

        Raises:
            Exception: The source is away, or says nothing that can be understood.
        """
        ...
