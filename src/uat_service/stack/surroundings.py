"""What a process is started with: its command line and its environment."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from uat_service.spelling import shouted
from uat_service.stack.definition import Service

__all__ = ["beginning", "command_line", "environment"]


# A service takes no more connections once it is told to stop; those just taken get time for their request.
_LAST_REQUESTS = 0.2


def command_line(
    service: Service, *, port: int | None, fd: int | None, own_fd: int | None
) -> list[str]:
    """Return the program and its arguments."""
    if service.app is not None:
        own = [] if own_fd is None else ["--own-fd", str(own_fd)]
        return [sys.executable, "-m", "uat_service.serve", service.app, "--fd", str(fd), *own]
    known = {
        "{fd}": str(fd),
        "{own_fd}": str(own_fd),
        "{port}": str(port),
        "{python}": sys.executable,
    }
    return [_filled(word, known) for word in service.command or ()]


def beginning(
    variables: Mapping[str, str], *, shared: Mapping[str, str], directory: Path
) -> dict[str, str]:
    """Return the environment that all have in common: what an interpreter reads at its start.

    Args:
        variables: Our own environment.
        shared: Variables of the stack.
        directory: Where modules are looked for first.
    """
    path = _joined(str(directory), variables.get("PYTHONPATH"))
    return {**variables, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path, **shared}


def environment(
    service: Service,
    instance: str,
    *,
    variables: Mapping[str, str],
    shared: Mapping[str, str],
    addresses: Mapping[str, str],
    directory: Path,
    lifeline: int,
) -> dict[str, str]:
    """Return the whole environment of a process.

    Args:
        service: The service.
        instance: The name of the process.
        variables: Our own environment.
        shared: Variables of the stack.
        addresses: Where each service listens, as `host:port`.
        directory: Where modules are looked for first.
        lifeline: The descriptor that tells the end of the parent.
    """
    delay = min(_LAST_REQUESTS, service.grace / 4)
    found = {"SHUTDOWN_DELAY": f"{delay:g}s", "SHUTDOWN_GRACE": f"{service.grace:g}s"}
    found |= beginning(variables, shared={}, directory=directory)
    for name, address in addresses.items():
        if name == "redis":
            # It is one server, whatever set of Sentinels is named in our own environment.
            found |= {"REDIS_ADDR": address, "REDIS_SENTINEL": ""}
        else:
            found[f"UAT_SERVICES__{shouted(name)}__URL"] = f"http://{address}"
            # As Aspire spells it, so that a service runs there unchanged.
            found[f"services__{name}__http__0"] = f"http://{address}"
    if service.name in addresses:
        found["PORT"] = addresses[service.name].rpartition(":")[2]
    found["SERVICE_NAME"] = service.name
    found["UAT_STACK_INSTANCE"] = instance
    found["UAT_LIFELINE_FD"] = str(lifeline)
    return {**found, **shared, **service.env}


def _filled(word: str, known: Mapping[str, str]) -> str:
    for placeholder, value in known.items():
        word = word.replace(placeholder, value)
    return word


def _joined(*paths: str | None) -> str:
    present: Sequence[str] = [path for path in paths if path]
    return os.pathsep.join(present)
