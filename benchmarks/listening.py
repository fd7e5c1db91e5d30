"""Ports of programs that do not say themselves where they listen, and when."""

import asyncio
import socket

__all__ = ["free_port", "until_listening"]

_TRIES = 600
_PAUSE = 0.05


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def until_listening(port: int) -> None:
    """Wait until somebody takes connections.

    Raises:
        TimeoutError: Nobody does, half a minute long.
    """
    for _ in range(_TRIES):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_PAUSE)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on {port}")
