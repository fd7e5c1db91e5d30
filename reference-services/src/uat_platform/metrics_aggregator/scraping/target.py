"""Whom to ask for metrics."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

__all__ = ["NoTargetsError", "Target", "from_address", "from_discovery"]

_HIDDEN = "__"


class NoTargetsError(ValueError):
    """Something is no list of targets."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service that shows its metrics.

    Attributes:
        url: Where.
        labels: What its series are told apart by: at least `job` and `instance`.
        discovered: What was known of it before, names that begin with `__` included.
    """

    url: str
    labels: tuple[tuple[str, str], ...]
    discovered: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def job(self) -> str:
        """The service that it is an instance of."""
        return dict(self.labels)["job"]

    @property
    def instance(self) -> str:
        """Which one of those it is."""
        return dict(self.labels)["instance"]

    @property
    def base(self) -> str:
        """Where its other pages are."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def from_address(address: str, labels: dict[str, str]) -> Target:
    """Return a target for `host:port`, with labels as discovery gives them.

    Those that begin with `__` say how to ask: `__scheme__` and `__metrics_path__`. The name of the service is
    `job`, or else `service`, or else the address.

    Raises:
        ValueError: The address is none.
    """
    scheme = labels.get("__scheme__", "http")
    path = labels.get("__metrics_path__", "/metrics")
    parts = urlsplit(f"{scheme}://{address}")
    if not parts.hostname or parts.path or parts.username or scheme not in {"http", "https"}:
        raise ValueError(f"{address!r} must be host:port")
    parts.port  # noqa: B018 - raises when it is none
    service = labels.get("service") or labels.get("__meta_uat_service") or address
    own = {
        "job": service,
        "instance": address,
        **{name: value for name, value in labels.items() if not name.startswith(_HIDDEN)},
    }
    discovered = {"__address__": address, "__scheme__": scheme, "__metrics_path__": path, **labels}
    return Target(
        f"{scheme}://{address}{path}",
        tuple(sorted(own.items())),
        tuple(sorted(discovered.items())),
    )


def from_discovery(groups: Any, *, most: int) -> list[Target]:  # noqa: ANN401 - JSON of somebody else
    """Return the targets of an answer of HTTP service discovery: `[{"targets": [...], "labels": {...}}]`.

    Raises:
        NoTargetsError: It is none, or there are too many.
    """
    found: dict[str, Target] = {}
    for group in _listed(groups):
        if not isinstance(group, dict):
            raise NoTargetsError("a group of targets must be an object")
        named = cast("dict[str, Any]", group)
        labels: Any = named.get("labels") or {}
        if not isinstance(labels, dict):
            raise NoTargetsError("labels must be an object")
        pairs = cast("dict[str, Any]", labels)
        texts = {name: str(value) for name, value in pairs.items()}
        for address in _listed(named.get("targets", [])):
            target = from_address(str(address), texts)
            found[target.url] = target
        if len(found) > most:
            raise NoTargetsError(f"more than {most} targets")
    return [*found.values()]


def _listed(value: object) -> Iterable[Any]:
    if not isinstance(value, list):
        raise NoTargetsError("targets must be a list")
    return cast("Iterable[Any]", value)
