"""One running copy of a service."""

from dataclasses import dataclass

from uat_resilience._core.arguments import at_least
from uat_service.addresses import http_origin

__all__ = ["Instance"]


@dataclass(frozen=True, slots=True)
class Instance:
    """Where one copy of a service is.

    Attributes:
        url: `http://host:port` or `https://host:port`.
        id: What tells it from others that were at the same place before. Default: the URL.
        version: Of its software, or empty.
        zone: Where it runs, or empty.
        weight: Its share of requests, beside the others' weights; at least 1.

    Raises:
        TypeError, ValueError: The URL is none, or the weight is no whole number of at least 1.
    """

    url: str
    id: str = ""
    version: str = ""
    zone: str = ""
    weight: int = 1

    def __post_init__(self) -> None:
        http_origin("url", self.url)
        at_least("weight", self.weight, 1)
        if not self.id:
            object.__setattr__(self, "id", self.url)
