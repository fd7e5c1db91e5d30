"""What `instrument()` returns: something to close."""

from collections.abc import Callable, Iterable

__all__ = ["Handle"]


class Handle:
    """Listens until it is closed.

    Args:
        ends: What ends it, each called once.
    """

    def __init__(self, ends: Iterable[Callable[[], object]]) -> None:
        self._ends = tuple(ends)

    def close(self) -> None:
        """Stop listening. Closing twice is no error."""
        ends, self._ends = self._ends, ()
        for end in ends:
            end()
