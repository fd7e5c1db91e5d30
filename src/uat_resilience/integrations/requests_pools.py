"""The pools of requests: a request that must not be sent twice gets no connection that was idle for long.

Servers close idle connections. A request that meets that closing fails, and nobody knows whether it was done.
"""

from contextvars import ContextVar
from math import inf
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from uat_resilience.clock import default_clock

__all__ = ["POOLS", "fresh", "keys_of"]

fresh: ContextVar[bool] = ContextVar("uat_requests_fresh", default=False)
"""True while a request is sent that must not be sent twice."""

_FRESH = 0.5  # Seconds a connection may have been idle to carry one.


class _Connection(HTTPConnection):
    """Knows since when it has been idle. Servers close idle connections; a request that meets that fails."""

    used = inf

    def getresponse(self) -> Any:  # noqa: ANN401 - the library's
        """Wait for an answer."""
        response = super().getresponse()
        self.used = default_clock.clock.now()
        return response

    @property
    def is_connected(self) -> bool:
        """False also when the connection may be about to be closed, and it matters."""
        return super().is_connected and not _stale(self.used)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, by TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls: type[Any] = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: type[Any] = _SecureConnection


def _stale(used: float) -> bool:
    return fresh.get() and default_clock.clock.now() - used > _FRESH


POOLS: dict[str, Any] = {"http": _Pool, "https": _SecurePool}
"""The pools by scheme."""


def keys_of(adapter: type[object]) -> object:
    """Return what tells apart which requests may share connections; before requests 2.32.3 there is nothing."""
    return getattr(adapter, "build_connection_pool_key_attributes", None)
