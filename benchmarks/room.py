"""A room behind a bulkhead that counts its visitors, and finds out whether a place was lost or made up."""

import threading
from collections.abc import Iterator
from time import sleep

from benchmarks.contenders import Call

__all__ = ["Room"]


class Room:
    """A guarded body that knows how many are inside.

    Attributes:
        door: The guarded `visit`, to be set once it is built.
        most: The most visitors that were ever inside at once.
        visits: How many came in.
    """

    door: Call

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.visits = 0

    def visit(self, order: int) -> int:
        """Stay for a moment; above 0, let that many more in through the door meanwhile."""
        with self._lock:
            self._inside += 1
            self.visits += 1
            self.most = max(self.most, self._inside)
        try:
            if order > 0:
                self.door(order - 1)
            else:
                sleep(0)
        finally:
            with self._lock:
                self._inside -= 1
        return order

    def faults(self, *, returned: int) -> Iterator[str]:
        """Say what is wrong, once all have left and `returned` calls had come back."""
        if self.most > self._places:
            yield f"let {self.most} in at once instead of {self._places}"
        if self.visits != returned:
            yield f"made {self.visits} calls, of which {returned} came back"
        if not self._holds(self._places):
            yield "lost a slot"
        if self._holds(self._places + 1):
            yield "has a slot too many"

    def _holds(self, visitors: int) -> bool:
        """Whether so many fit in, each let in by the one before."""
        try:
            self.door(visitors - 1)
        except Exception:  # noqa: BLE001 - a refusal, of a type that every library has of its own
            return False
        return True
