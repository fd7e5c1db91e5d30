"""How the processes of a stack are started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uat_service.stack.definition import Service
from uat_service.stack.reading import Described
from uat_service.stack.sockets import Sockets, reachable
from uat_service.stack.surroundings import command_line, environment

__all__ = ["Launch", "Launches"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started.

    Attributes:
        command: The program and its arguments.
        env: Its whole environment.
        cwd: Its working directory.
        fds: Descriptors that it inherits.
        door: The port where it is asked whether it is ready.
        forks: Whether it is a service of ours, which a nursery can fork.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    fds: tuple[int, ...]
    door: int | None
    forks: bool = False


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
        ports, host = self._sockets.ports, _written(reachable(self._sockets.host))
        fd, own_fd = self._sockets.fd(service.name), self._sockets.own_fd(instance)
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
            command=command_line(service, port=ports.get(service.name), fd=fd, own_fd=own_fd),
            env=env,
            cwd=Path.cwd(),
            fds=tuple(each for each in (fd, own_fd, self._lifeline) if each is not None),
            door=self._sockets.door(service.name, instance),
            forks=service.app is not None,
        )


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
