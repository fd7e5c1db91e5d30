"""A process that has imported the framework and forks services: `python -m uat_service.serve.nursery FD FILE APP`.

Nearly all of the start of a service is imports, the same for each. `uat` starts one nursery, and asks it for a
process instead of starting an interpreter. FD is its end of a pair of sockets; `birth` says what is written there.
There may be several of APP: what their sources import of the framework is imported before the first is forked.
What one child had to import nevertheless, later ones have from the start; FILE keeps it for the next nursery.

Why it may fork:

    one thread          what is imported starts none; they are counted at every fork
    nothing made yet    no event loop, connection, lock that is held, or settings: all of it is made by what is
                        imported in the child, or by `main`
    nothing read yet    a service whose environment differs in what was read so far is refused (`imported`)
    nothing outdated    once a file that was imported has changed, this nursery is of no use any more (`imported`)

Whoever is refused is started in the ordinary way. It ends when nobody can ask any more, after its last child.
"""

import fcntl
import gc
import os
import select
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from uat_service.serve.birth import Birth, Born, Ended, Refused, Reply, Stale, asked, tell
from uat_service.serve.imported import Imported
from uat_service.serve.learned import Learned, ours
from uat_service.serve.place import take_place
from uat_service.serve.process_name import name_process
from uat_service.serve.sources import imports, source

__all__ = ["main"]

_COMMAND = "uat_service.serve.__main__"  # Does all that comes before, too.
_BY_ALL = (
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)
"""What every service imports when it begins to serve."""
_LIST = 1 << 16

Loaded = Callable[[], None]


class Nursery:
    """Fork whatever is asked for, and tell of its end.

    Args:
        control: Where it is asked.
        learned: What earlier children have imported.
        apps: The services, as `module:name`.
    """

    def __init__(self, control: socket.socket, learned: Learned, apps: Sequence[str]) -> None:
        self._control = control
        self._learned = learned
        self._apps = apps
        self._asked = True
        self._imported = Imported()
        self._wanted: deque[str] = deque(_BY_ALL)
        self._children: dict[int, int] = {}
        self._loading: set[int] = set()

    def serve(self) -> tuple[Birth, Loaded] | None:
        """Return in each child, with what it is born for; and at the end of the nursery, with None."""
        for module in (_COMMAND, *self._learned.names(), *_named(self._apps)):
            self._imported.add(module)
        while self._asked or self._children:
            for descriptor in self._ready():
                if descriptor in self._children:
                    self._bury(descriptor)
                elif descriptor in self._loading:
                    self._learn(descriptor)
                elif (born := self._answer()) is not None:
                    return born
            if self._wanted:
                self._imported.add(self._wanted.popleft())
        return None

    def _ready(self) -> list[int]:
        poll = select.poll()
        control = [self._control.fileno()] if self._asked else []
        for descriptor in (*control, *self._children, *self._loading):
            poll.register(descriptor, select.POLLIN)
        return [descriptor for descriptor, _ in poll.poll(0 if self._wanted else None)]

    def _answer(self) -> tuple[Birth, Loaded] | None:
        """Take one request; return it in the child that it leads to."""
        birth = asked(self._control)
        if birth is None:
            self._asked = False
            return None
        problem = self._problem(birth)
        if problem is not None:
            birth.close()
            self._tell(problem)
            return None
        return self._forked(birth)

    def _problem(self, birth: Birth) -> Refused | Stale | None:
        if (file := self._imported.changed()) is not None:
            return Stale(file)
        if (name := self._imported.differs(birth.env)) is not None:
            return Refused(f"{name} was read before")
        if birth.cwd != str(Path.cwd()):
            return Refused("it has another working directory")
        if len(list(Path("/proc/self/task").iterdir())) != 1:
            return Refused("something that was imported runs a thread")
        if taken := self._taken(birth):
            return Refused(f"something that was imported has descriptor {min(taken)}")
        return None

    def _taken(self, birth: Birth) -> set[int]:
        ours = {self._control.fileno(), *self._children, *self._loading, *birth.descriptors}
        return {each for each in set(birth.numbers) - ours if _is_open(each)}

    def _forked(self, birth: Birth) -> tuple[Birth, Loaded] | None:
        gc.freeze()  # Nothing of it becomes garbage, and a look at it would copy its pages in each child.
        known = set(sys.modules)
        hears, says = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(hears)
            self._tell(Refused(f"it cannot be forked: {error.strerror}"))
        else:
            if pid == 0:
                os.setsid()
                os.write(says, b"\n")
                # It is used once the child has its descriptors, and may have the number of one of them.
                above = fcntl.fcntl(says, fcntl.F_DUPFD_CLOEXEC, max(birth.numbers, default=0) + 1)
                for each in (hears, says, self._control.detach(), *self._children, *self._loading):
                    os.close(each)
                return birth, partial(_report, above, known)
            os.read(hears, 1)  # From now on it can be told to stop, as the leader of a session.
            self._children[os.pidfd_open(pid)] = pid
            self._loading.add(hears)
            self._tell(Born(pid))
        os.close(says)
        birth.close()
        return None

    def _learn(self, descriptor: int) -> None:
        """Want what a child has imported."""
        names = os.read(descriptor, _LIST).decode().split()
        self._loading.remove(descriptor)
        os.close(descriptor)
        self._learned.add(names)
        self._wanted += names

    def _bury(self, descriptor: int) -> None:
        pid = self._children.pop(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        self._tell(Ended(pid, os.waitstatus_to_exitcode(status)))

    def _tell(self, reply: Reply) -> None:
        with suppress(OSError):  # `uat` is gone, and its children will soon be.
            tell(self._control, reply)


def main() -> None:
    """Serve as a nursery; in each child, serve what it was born for."""
    name_process("uat-nursery")
    control, learned = socket.socket(fileno=int(sys.argv[1])), Learned(Path(sys.argv[2]))
    born = Nursery(control, learned, sys.argv[3:]).serve()
    if born is None:
        return
    birth, loaded = born
    take_place(birth)
    command = sys.modules["__main__"] = sys.modules.pop(_COMMAND)
    command.__name__ = "__main__"
    sys.argv = [str(command.__file__), *birth.command[3:]]
    command.main(loaded=loaded)


def _named(apps: Sequence[str]) -> list[str]:
    """Return which modules of the framework the sources of services name."""
    found = {source(app.partition(":")[0], sys.path) for app in apps}
    return ours(name for each in found if each is not None for name in imports(each))


def _report(descriptor: int, known: set[str]) -> None:
    """Tell the nursery which modules of the framework had to be imported, in their order."""
    names = [name for name in ours(sys.modules) if name not in known]
    with suppress(OSError):  # It is gone.
        os.write(descriptor, " ".join(names).encode())
    os.close(descriptor)


def _is_open(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").is_symlink()


if __name__ == "__main__":
    main()
