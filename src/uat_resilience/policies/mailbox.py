"""One short lock, and a mailbox for what must not wait for it.

Taking a slot may block for the few machine calls of another thread. Giving one back must never block on a
lock that its own thread may hold: the garbage collector can finalise an abandoned coroutine, and a
signal handler can run, in the middle of the locked region. So giving back looks first, and leaves a note
when the lock is held by anybody. Whoever holds it reads the mail after unlocking.

No note is lost: it is written before the lock is looked at again, and the holder looks for mail after
unlocking. Either the writer finds the lock free, or the holder finds the note.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Mailbox"]

Note = TypeVar("Note")
Fact = TypeVar("Fact")


class Mailbox(Generic[Note, Fact]):
    """A lock and the notes left for its holder.

    Args:
        apply: Carries out a note; called under the lock.
        tell: Acts on the fact that came of it, if any; called when the lock is free.
    """

    __slots__ = ("_apply", "_tell", "lock", "notes")

    def __init__(self, apply: Callable[[Note], Fact | None], tell: Callable[[Fact], None]) -> None:
        self._apply = apply
        self._tell = tell
        self.lock = Lock()
        self.notes: deque[Note] = deque()

    def post(self, note: Note) -> None:
        """Carry a note out as soon as the lock is free, by whoever is there then."""
        lock = self.lock
        if self.notes or not lock.acquire(False):  # noqa: FBT003 - by keyword it takes twice as long
            self.notes.append(note)
            self.sweep()
            return
        try:
            fact = self._apply(note)
        finally:
            lock.release()
        if fact is not None:
            self._tell(fact)
        if self.notes:
            self.sweep()

    def sweep(self) -> None:
        """Carry out the notes there are, unless somebody holds the lock, who will."""
        while self.notes and not self.lock.locked():
            facts: list[Fact] = []
            with self.lock:
                while self.notes:
                    fact = self._apply(self.notes.popleft())
                    if fact is not None:
                        facts.append(fact)
            for fact in facts:
                self._tell(fact)

    def renew(self) -> None:
        """Start again with a free lock: in a forked child its holder does not exist."""
        self.lock = Lock()
        self.notes.clear()
