"""The time an upstream has to begin its answer."""

import asyncio

from uat_service.proxy.connection import Connection
from uat_service.proxy.errors import SilentUpstreamError

__all__ = ["Limit"]


class Limit:
    """Let whoever waits for an answer have an error when it does not begin in time. Used once.

    Args:
        connection: Where the answer is to come from.
        seconds: It has, from `begin` on.
    """

    __slots__ = ("_connection", "_seconds", "_timer")

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin: the whole request is sent."""
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._over)

    def end(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _over(self) -> None:
        self._connection.fail(SilentUpstreamError(f"no answer began within {self._seconds:g} s"))
