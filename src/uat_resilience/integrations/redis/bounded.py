"""A sync client whose every exchange ends in time, made from the user's own.

redis-py bounds each wait on a socket, repeats what failed ten times, and so takes up to a minute for one command.
Here the limit is of the exchange as a whole (connecting, greeting, sending, and every byte of the answer), and
nothing is repeated. The user's client, with its own settings and its own pool, is left as it is.

A client of the master of a set asks Sentinels first, within the same limit: each of them is given half of what is
left, so that one that is silent leaves time for the others and for the master.

The name of a host is looked up by the system, which keeps a time of its own.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from socket import socket
from typing import Any, cast

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool

from uat_resilience.clock import SystemClock

__all__ = ["bounded", "ending_within"]

_clock = SystemClock()
_until: ContextVar[float] = ContextVar("uat_redis_until")


@contextmanager
def ending_within(seconds: float) -> Generator[None]:
    """Give all that bounded clients do in this block so many seconds."""
    token = _until.set(_clock.now() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def bounded(client: Redis, *, share: float = 1.0) -> Redis:
    """Return a client for the same server, with connections of its own, each exchange within `ending_within`.

    Args:
        client: The user's.
        share: Of what is left of the exchange, for each wait.
    """
    pool = client.connection_pool
    kind = _made_to_end(pool.connection_class, share)
    settings: dict[str, Any] = {
        key: value
        for key, value in pool.connection_kwargs.items()
        if not key.startswith(_NOT_TAKEN_OVER)
    }
    settings.update(
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        health_check_interval=0,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    if isinstance(pool, SentinelConnectionPool):
        return Redis(connection_pool=_to_the_master(pool, kind, settings))
    return Redis(connection_pool=ConnectionPool(kind, **settings))


# Settings that belong to one pool.
_NOT_TAKEN_OVER = (
    "maint_",
    "oss_cluster_",
    "orig_",
    "event_dispatcher",
    "cache",
    "connection_pool",
)


def _to_the_master(pool: Any, kind: type[Connection], settings: dict[str, Any]) -> ConnectionPool:  # noqa: ANN401 - redis-py has no types for this
    """Return a pool that asks the same Sentinels, by clients that are bounded, too."""
    manager = copy(pool.sentinel_manager)
    manager.sentinels = [bounded(each, share=0.5) for each in manager.sentinels]
    made: ConnectionPool = SentinelConnectionPool(  # type: ignore[no-untyped-call]  # redis-py has no types for this
        pool.service_name,
        manager,
        connection_class=kind,
        is_master=pool.is_master,
        check_connection=pool.check_connection,
        **settings,
    )
    return made


def _left(share: float) -> float:
    """Return a share of what is left of the exchange.

    Raises:
        TimeoutError: Nothing is.
    """
    left = _until.get() - _clock.now()
    if left <= 0:
        raise TimeoutError("the exchange with Redis took too long")
    return left * share


def _made_to_end(kind: type[Connection], share: float) -> type[Connection]:
    """Return a connection class of redis-py whose sockets give each wait a share of what is left."""
    connect = cast("Callable[[Connection], socket]", getattr(kind, _CONNECT))

    def connected(connection: Connection) -> _Socket:
        return _Socket(connect(connection), share)

    def set_nothing(connection: Connection, value: float | None) -> None:
        """Ignore what the settings say: the exchange has its limit."""

    made = {
        _CONNECT: connected,
        "socket_connect_timeout": property(lambda _: _left(share), set_nothing),
    }
    return type(f"Bounded{kind.__name__}", (kind,), made)


_CONNECT = "_connect"  # All connection classes make their socket here, TLS included.


class _Socket:
    """A socket that gives each wait a share of what is left of the exchange."""

    def __init__(self, inner: socket, share: float) -> None:
        self._inner = inner
        self._share = share

    def recv(self, *args: int) -> bytes:
        """Receive."""
        self._inner.settimeout(_left(self._share))
        return self._inner.recv(*args)

    def recv_into(self, buffer: bytearray, *args: int) -> int:
        """Receive into a buffer."""
        self._inner.settimeout(_left(self._share))
        return self._inner.recv_into(buffer, *args)

    def sendall(self, data: bytes) -> None:
        """Send."""
        self._inner.settimeout(_left(self._share))
        self._inner.sendall(data)

    def __getattr__(self, name: str) -> object:
        return cast("object", getattr(self._inner, name))
