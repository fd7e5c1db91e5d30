"""One running copy of a service."""

from dataclasses import dataclass
from urllib.parse import urlsplit

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
        ValueError: The URL is none, or the weight is below 1.
    """

    url: str
    id: str = ""
    version: str = ""
    zone: str = ""
    weight: int = 1

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)  # Which leaves out line endings and tabs, wherever they are.
        plain = self.url.isprintable() and parts.hostname and not parts.path.strip("/")
        if not plain or parts.scheme not in {"http", "https"}:
            raise ValueError(f"url must be like http://host:port, not {self.url!r}")
        if self.weight < 1:
            raise ValueError(f"weight must be at least 1, not {self.weight!r}")
        if not self.id:
            object.__setattr__(self, "id", self.url)
