"""What `uat` and a nursery write to each other.

    uat       a birth, with descriptors: for the output, for the start, and those that the process inherits
    nursery   born, with a pid; or refused; or stale, and it has to be replaced before anybody is born
    uat       a byte into the pipe for the start. Without it, at the end of that pipe, the child ends
    nursery   ended, with a pid and an exit code; at any time

Each message is one packet of JSON. There is one request at a time.
"""

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["Birth", "Born", "Ended", "Refused", "Reply", "Stale", "ask", "asked", "tell", "told"]

_LARGEST = 1 << 20
_MOST_DESCRIPTORS = 16


@dataclass(frozen=True, slots=True)
class Birth:
    """What a process shall be.

    Attributes:
        command: Its command line, as if an interpreter was started.
        env: Its whole environment.
        cwd: Its working directory.
        numbers: The descriptors that it inherits, as they are called there.
        descriptors: The same as they are called here, after those for the output and for the start.
    """

    command: Sequence[str]
    env: dict[str, str]
    cwd: str
    numbers: Sequence[int]
    descriptors: Sequence[int]

    def close(self) -> None:
        """Let go of the descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Born:
    """A process waits for its start, in a session of its own."""

    pid: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A process has to be started in another way."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stale:
    """A file that the nursery has imported has changed."""

    file: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A process has ended: exit code, negative for a signal."""

    pid: int
    code: int


Reply = Born | Refused | Stale | Ended

_KINDS: dict[str, type[Reply]] = {kind.__name__: kind for kind in (Born, Refused, Stale, Ended)}


def ask(control: socket.socket, birth: Birth) -> None:
    """Ask a nursery for a process.

    Raises:
        OSError: It is gone, or this is more than a packet holds.
    """
    told = {"command": birth.command, "env": birth.env, "cwd": birth.cwd, "numbers": birth.numbers}
    socket.send_fds(control, [json.dumps(told).encode()], birth.descriptors)


def asked(control: socket.socket) -> Birth | None:
    """Return what a nursery is asked for; None when nobody can ask any more."""
    packet, descriptors, _, _ = socket.recv_fds(control, _LARGEST, _MOST_DESCRIPTORS)
    return Birth(**json.loads(packet), descriptors=descriptors) if packet else None


def tell(control: socket.socket, reply: Reply) -> None:
    """Tell `uat`.

    Raises:
        OSError: It is gone.
    """
    control.send(json.dumps([type(reply).__name__, asdict(reply)]).encode())


def told(control: socket.socket) -> Reply | None:
    """Return what a nursery tells; None when it is gone."""
    packet = control.recv(_LARGEST)
    if not packet:
        return None
    kind, values = json.loads(packet)
    return _KINDS[kind](**values)
