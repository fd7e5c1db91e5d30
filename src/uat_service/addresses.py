"""Addresses as people write them, in settings and in code: those of a Redis, and of what is asked by HTTP.

No error repeats what was written: people put passwords into addresses, where none belongs.
"""

import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

__all__ = ["HIDDEN", "Origin", "http_origin", "http_url", "redis_addresses", "without_password"]

HIDDEN = "**********"
"""What is shown in place of a secret, as pydantic has it."""

_REDIS_PORT = 6379
_SENTINEL_PORT = 26379
_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What `http://host:port` or `https://host:port` says.

    Attributes:
        scheme: `http` or `https`.
        host: In lower case; an IPv6 address without its brackets.
        port: That of the scheme, where none is written.
        written: Host and port as they are written.
    """

    scheme: str
    host: str
    port: int
    written: str


def redis_addresses(argument: str, value: object, *, sentinel: str = "") -> list[tuple[str, int]]:
    """Return host and port of a Redis, or of each Sentinel, or of several nodes of a Cluster.

    An IPv6 address is written in brackets. Several addresses have commas between them.

    Args:
        argument: What the addresses are called, for errors.
        value: The addresses.
        sentinel: Name of the set that Sentinels at these addresses watch, or empty when they are none. Without a
            port it is 26379 for a Sentinel, and 6379 otherwise.

    Raises:
        TypeError, ValueError: They are none.
    """
    rule = f"{argument} must be written as host:port"
    if not isinstance(value, str):
        raise TypeError(f"{rule}, not a {type(value).__name__}")
    found: list[tuple[str, int]] = []
    for one in (part.strip(" ") for part in value.split(",")):
        parts = None if "@" in one or one.endswith(":") else _split(f"//{one}")
        if parts is None or not parts.hostname or parts.netloc != one:
            raise ValueError(f"{rule}, or as several of these with commas between")
        found.append((parts.hostname, parts.port or (_SENTINEL_PORT if sentinel else _REDIS_PORT)))
    return found


def http_origin(argument: str, value: object) -> Origin:
    """Return what `http://host:port` or `https://host:port` says.

    Args:
        argument: What the address is called, for errors.
        value: The address.

    Raises:
        TypeError, ValueError: It is none.
    """
    parts = _http(argument, value)
    if parts.path.strip("/"):
        raise ValueError(f"{argument} must be like http://host:port, without a path")
    port = parts.port or _PORTS[parts.scheme]
    return Origin(parts.scheme, str(parts.hostname), port, parts.netloc)


def http_url(argument: str, value: object) -> str:
    """Return the URL of something that is asked by HTTP; it may have a path.

    Args:
        argument: What the URL is called, for errors.
        value: The URL.

    Raises:
        TypeError, ValueError: It is none.
    """
    return _http(argument, value).geturl()


def without_password(text: str) -> str:
    """Return a text without the user and the password of each URL in it: either of them may be a secret."""
    return _USERINFO.sub(rf"\1{HIDDEN}@", text)


# A password may have an @ in it, where people forget how it is written.
_USERINFO = re.compile(r"(://)[^/\s]+@")


def _http(argument: str, value: object) -> SplitResult:
    rule = f"{argument} must be like http://host:port"
    if not isinstance(value, str):
        raise TypeError(f"{rule}, not a {type(value).__name__}")
    parts = _split(value)
    # Whoever calls it puts no user into the request, and would put one into the header `Host`.
    if parts is None or parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError(rule)
    if parts.query or parts.fragment:
        raise ValueError(f"{rule}, without a query")
    return parts


def _split(value: str) -> SplitResult | None:
    """Return the parts of a URL, or None when it cannot be one."""
    # The splitting leaves out line endings and tabs, wherever they are.
    if not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises when it is no number, or too high
    except ValueError:
        return None
    return None if parts.port == 0 else parts
