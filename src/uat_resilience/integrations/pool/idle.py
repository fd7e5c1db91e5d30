"""Connections that nobody uses, kept for the next request to the same host."""

from threading import RLock
from typing import Generic, Protocol, TypeVar

from uat_resilience.clock import default_clock

__all__ = ["Connection", "Idle", "Where"]

Where = tuple[bytes, bytes, int | None]
"""Where a connection goes: scheme, host and port."""

_PAUSE = 1.0  # Seconds between two looks at all that are kept: each asks the operating system.


class Connection(Protocol):
    """A connection of httpcore2, as far as keeping it goes."""

    def is_idle(self) -> bool:
        """Return True when another request may be sent on it."""
        ...

    def has_expired(self) -> bool:
        """Return True when it was kept for too long, the server has closed it, or it never came to be."""
        ...


C = TypeVar("C", bound=Connection)


class Idle(Generic[C]):
    """Keep connections between two requests. Thread-safe; a signal handler may use it too."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._kept: dict[Where, list[C]] = {}
        self._expired: list[C] = []
        self._next_look = 0.0

    def keep(self, where: Where, connection: C) -> None:
        """Keep a connection."""
        with self._lock:
            self._kept.setdefault(where, []).append(connection)

    def take(self, where: Where) -> C | None:
        """Take out the one to there that was used last, or return None."""
        with self._lock:
            kept = self._kept.get(where)
            while kept:
                connection = kept.pop()
                if not connection.has_expired():
                    return connection
                self._expired.append(connection)
        return None

    def expired(self) -> C | None:
        """Take out one that has expired, for the caller to close, or return None."""
        with self._lock:
            now = default_clock.clock.now()
            if now >= self._next_look:
                self._next_look = now + _PAUSE
                self._look()
            return self._expired.pop() if self._expired else None

    def all(self) -> list[C]:
        """Take out all."""
        with self._lock:
            kept = [*self._expired, *(each for some in self._kept.values() for each in some)]
            self._expired, self._kept = [], {}
        return kept

    def _look(self) -> None:
        """Put aside what has expired, so that hosts that nobody asks again leave nothing behind."""
        for where, kept in list(self._kept.items()):
            expired = {each for each in kept if each.has_expired()}
            self._expired += expired
            self._kept[where] = [each for each in kept if each not in expired]
            if not self._kept[where]:
                del self._kept[where]
