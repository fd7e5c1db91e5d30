"""The listening sockets of a stack: made once, by the parent, so that no restart refuses anybody."""

import errno
import socket
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from uat_service.stack.definition import Service, port_variable
from uat_service.stack.errors import StackError

__all__ = ["Sockets", "reachable"]

_BACKLOG = 2048


class Sockets:
    """Bind the port of each service, or find out that it is free.

    A service that makes its own socket gets a port that was free a moment ago. Replicas share one socket, so
    whoever asks there cannot say whom; each has a second one, where it is asked by itself.

    Args:
        services: The services.
        host: The address to listen on.

    Raises:
        StackError: Ports are taken. Names all of them.
    """

    def __init__(self, services: Iterable[Service], *, host: str) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self._ports: dict[str, int] = {}
        self._own: dict[str, socket.socket] = {}
        self.host = host
        problems: list[str] = []
        for service in services:
            if service.port is not None:
                try:
                    self._open(service, service.port)
                except OSError as error:
                    problems.append(_told(service, host, error))
        if problems:
            self.close()
            raise StackError(*problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each service that listens."""
        return self._ports

    def fd(self, service: str) -> int | None:
        """Return the descriptor that a service inherits, if it does."""
        listener = self._sockets.get(service)
        return None if listener is None else listener.fileno()

    def own_fd(self, instance: str) -> int | None:
        """Return the descriptor that a process inherits for itself, if it does."""
        listener = self._own.get(instance)
        return None if listener is None else listener.fileno()

    def door(self, service: str, instance: str) -> int | None:
        """Return the port where a process is asked; that of its service where it has none of its own."""
        listener = self._own.get(instance)
        return self._ports.get(service) if listener is None else int(listener.getsockname()[1])

    def close(self) -> None:
        """Give the ports back."""
        for listener in (*self._sockets.values(), *self._own.values()):
            listener.close()

    def _open(self, service: Service, port: int) -> None:
        listener = _listening(self.host, port)
        self._ports[service.name] = int(listener.getsockname()[1])
        if service.inherits:
            self._sockets[service.name] = listener
        else:
            listener.close()
        if service.owns:
            self._own |= {name: _listening(reachable(self.host), 0) for name in service.instances}


def reachable(host: str) -> str:
    """Return the address where one asks who listens on this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _told(service: Service, host: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        remedy = f"stop it, or choose another port with {port_variable(service.name)}"
        return f"services.{service.name}: port {service.port} is taken by another program: {remedy}"
    return f"services.{service.name}: {host}:{service.port} cannot be used: {error.strerror}"
