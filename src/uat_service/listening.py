"""Sockets that a service listens on: opened here, or inherited from whoever started us."""

import socket

__all__ = ["inherited", "listening"]

_BACKLOG = 2048


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this address; port 0 is any that is free.

    Raises:
        OSError: It cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # `create_server` leaves open which protocol it is, and so it is with each connection: asyncio then lets parts
    # of an answer wait for those before (Nagle), 40 ms long with clients that acknowledge late.
    return inherited(opened.detach())


def inherited(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor, with all that the system knows of it.

    Raises:
        OSError, ValueError: It is none.
    """
    return socket.socket(fileno=descriptor)
