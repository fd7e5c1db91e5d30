"""Where a database is, as people write it in settings and in code.

class OrderSettings(Settings):
    database_url: StoreUrl = "sqlite:///.uat/orders.db"     # a wrong one is told by its name when it is read
"""

from typing import Annotated

from pydantic import AfterValidator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

__all__ = ["StoreUrl", "store_url"]

_LAST_PORT = 65_535


def store_url(argument: str, value: object) -> URL:
    """Return what a URL of SQLite or PostgreSQL says; no error repeats it, as it may have a password.

    Args:
        argument: What the URL is called, for errors.
        value: The URL.

    Raises:
        TypeError, ValueError: It is none of a database that lasts.
    """
    rule = f"{argument} must be like sqlite:///path or postgresql://user@host/database"
    if not isinstance(value, str):
        raise TypeError(f"{rule}, not a {type(value).__name__}")
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # The latter for a port that is no number.
        raise ValueError(rule) from None
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.host or url.username or url.port:
            raise ValueError(f"{rule}: a file is named after three slashes")
        if not url.database or url.database == ":memory:":
            raise ValueError(f"{argument} must name a file: what is in memory only is lost")
        return url
    if kind not in {"postgresql", "postgres"}:
        raise ValueError(rule)
    if url.port is not None and not 1 <= url.port <= _LAST_PORT:
        raise ValueError(f"{argument} must have a port from 1 to {_LAST_PORT}")
    return url


def _checked(value: str) -> str:
    store_url("it", value)
    return value


StoreUrl = Annotated[str, AfterValidator(_checked)]
"""A setting that says where a `Store` is."""
