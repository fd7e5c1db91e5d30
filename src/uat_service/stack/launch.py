"""How the processes of a stack are started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uat_service.stack.definition import Service
from uat_service.stack.reading import Described
from uat_service.stack.sockets import Sockets
from uat_service.stack.surroundings import command_line, environment

__all__ = ["Launch", "Launches"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started."""

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    fds: tuple[int, ...]
    port: int | None


class Launches:
    """Say how each process of a stack is started.

    Args:
        described: The stack.
        sockets: The listening sockets of its services.
        lifeline: The descriptor that tells the end of the parent.
        variables: Our own environment.
    """

    def __init__(
        self,
        described: Described,
        *,
        sockets: Sockets,
        lifeline: int,
        variables: Mapping[str, str],
    ) -> None:
        self._described = described
        self._sockets = sockets
        self._lifeline = lifeline
        self._variables = variables

    def __call__(self, service: Service, instance: str) -> Launch:
        """Return how a process of a service is started."""
        ports, host = self._sockets.ports, _reachable(self._sockets.host)
        fd, port = self._sockets.fd(service.name), ports.get(service.name)
        env = environment(
            service,
            instance,
            variables=self._variables,
            shared=self._described.stack.env,
            addresses={name: f"{host}:{port}" for name, port in ports.items()},
            directory=self._described.directory,
            lifeline=self._lifeline,
        )
        return Launch(
            command=command_line(service, port=port, fd=fd),
            env=env,
            cwd=Path.cwd(),
            fds=(self._lifeline,) if fd is None else (fd, self._lifeline),
            port=port,
        )


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared
