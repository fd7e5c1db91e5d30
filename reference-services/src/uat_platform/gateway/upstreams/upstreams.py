"""All services behind the gateway, as the routes that hold name them."""

from collections.abc import Callable

from uat_platform.gateway.routes import UpstreamDefinition
from uat_platform.gateway.upstreams.upstream import Defaults, Upstream
from uat_platform.gateway.upstreams.whereabouts import Whereabouts
from uat_resilience.pipeline import PipelineSnapshot

__all__ = ["Shown", "Upstreams"]


class Shown:
    """What `/resilience` and `/metrics` see of an upstream, also once it is gone.

    Args:
        upstreams: All of them.
        name: Which one.

    Attributes:
        name: Its name.
    """

    def __init__(self, upstreams: "Upstreams", name: str) -> None:
        self._upstreams = upstreams
        self.name = name

    def snapshot(self) -> PipelineSnapshot:
        """Return its policies at this moment; none once it is gone."""
        found = self._upstreams.get(self.name)
        return PipelineSnapshot(()) if found is None else found.snapshot()


class Upstreams:
    """Keep what is known of each upstream while routes come and go. Belongs to one event loop.

    Args:
        defaults: What holds for those that the routes file says nothing else of.
        whereabouts: Where instances are.
    """

    def __init__(self, *, defaults: Defaults, whereabouts: Whereabouts) -> None:
        self._defaults = defaults
        self._whereabouts = whereabouts
        self._shown: dict[str, Shown] = {}
        self._show: Callable[[Shown], object] | None = None
        self._upstreams: dict[str, Upstream] = {}

    def take(self, definitions: dict[str, UpstreamDefinition]) -> None:
        """Go by these definitions from now on; requests under way end as they began."""
        for name in self._upstreams.keys() - definitions.keys():
            self._upstreams.pop(name).close()
        for name, definition in definitions.items():
            upstream = self._upstreams.get(name)
            if upstream is None:
                self._upstreams[name] = Upstream(
                    name, definition, defaults=self._defaults, whereabouts=self._whereabouts
                )
            elif upstream.definition != definition:
                upstream.update(definition)
            if name not in self._shown:
                self._shown[name] = Shown(self, name)
                if self._show is not None:
                    self._show(self._shown[name])

    def show_with(self, show: Callable[[Shown], object]) -> None:
        """Give each upstream to a function once, also those that are still to come."""
        self._show = show
        for each in self._shown.values():
            show(each)

    def __getitem__(self, name: str) -> Upstream:
        """Return an upstream that a route names."""
        return self._upstreams[name]

    def get(self, name: str) -> Upstream | None:
        """Return an upstream, or None when no route names it any more."""
        return self._upstreams.get(name)

    def all(self) -> list[Upstream]:
        """Return all of them."""
        return [*self._upstreams.values()]

    def close(self) -> None:
        """Close the connections that wait for a request."""
        for each in self._upstreams.values():
            each.close()
