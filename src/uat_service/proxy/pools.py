"""Kept connections to many upstreams."""

from uat_resilience._core.arguments import seconds
from uat_service.proxy.pool import Pool

__all__ = ["Pools"]

_ORIGINS = 1000


class Pools:
    """Keep a pool of connections for each origin, and never too many of them. Belongs to one event loop.

    Args:
        connect_timeout: Seconds to connect in, above 0.
        patience: Seconds of silence of an upstream, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(self, *, connect_timeout: float = 5.0, patience: float = 60.0) -> None:
        self.connect_timeout = seconds("connect_timeout", connect_timeout)
        self._patience = seconds("patience", patience)
        self._pools: dict[str, Pool] = {}

    def __getitem__(self, origin: str) -> Pool:
        """Return the pool of an origin.

        Raises:
            ValueError: It is none.
        """
        pool = self._pools.get(origin)
        if pool is None:
            if len(self._pools) >= _ORIGINS:
                # Origins come and go with instances; the one that was made first is the likeliest to be gone.
                self._pools.pop(next(iter(self._pools))).close()
            pool = Pool(origin, connect_timeout=self.connect_timeout, patience=self._patience)
            self._pools[origin] = pool
        return pool

    def close(self) -> None:
        """Close the connections that wait for a request."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
