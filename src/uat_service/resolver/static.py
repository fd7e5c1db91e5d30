"""Services that stay where they are: told by whoever starts them."""

from collections.abc import Iterable, Mapping

from uat_service.resolver.instance import Instance

__all__ = ["StaticResolver"]

_PREFIX = "UAT_SERVICES__"
_SUFFIX = "__URL"


class StaticResolver:
    """Know services by a table. Safe to share.

    Args:
        services: URLs by name: one, or several for several instances.

    Raises:
        TypeError, ValueError: A URL is none.
    """

    def __init__(self, services: Mapping[str, str | Iterable[str]]) -> None:
        self._services = {
            name: [Instance(url) for url in ([urls] if isinstance(urls, str) else urls)]
            for name, urls in services.items()
        }

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "StaticResolver":
        """Return what the orchestrator has told: `UAT_SERVICES__ORDER_DESK__URL=http://...`, several by commas.

        Raises:
            ValueError: A URL is none.
        """
        services: dict[str, list[str]] = {}
        for variable, value in variables.items():
            if variable.startswith(_PREFIX) and variable.endswith(_SUFFIX) and value:
                name = variable[len(_PREFIX) : -len(_SUFFIX)].lower().replace("_", "-")
                services[name] = [url.strip() for url in value.split(",")]
        return cls(services)

    def resolve(self, name: str) -> list[Instance]:
        """Return the instances of a service."""
        return list(self._services.get(name, ()))

    async def find(self, name: str) -> list[Instance]:
        """Return the same."""
        return self.resolve(name)
