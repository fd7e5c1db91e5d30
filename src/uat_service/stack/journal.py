"""What happens in a stack, told to whoever listens: log files, a view, terminals elsewhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from uat_service.stack.state import Status

__all__ = ["Event", "Journal", "Moved", "Note", "Said"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A process has changed its state."""

    status: Status


@dataclass(frozen=True, slots=True)
class Said:
    """A process has written a line."""

    instance: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Something else that somebody at the terminal should know."""

    text: str


Event = Moved | Said | Note
Listener = Callable[[Event], object]


class Journal:
    """Tell events to listeners, in order. For one event loop.

    Args:
        listeners: Who listens from the beginning.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners: tuple[Listener, ...] = listeners

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell this listener too, until the function that is returned is called."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(each for each in self._listeners if each != listener)

        return unsubscribe

    def tell(self, event: Event) -> None:
        """Tell an event."""
        for listener in self._listeners:
            listener(event)

    def note(self, text: str) -> None:
        """Tell a note."""
        self.tell(Note(text))

    def said(self, instance: str, lines: Iterable[bytes]) -> None:
        """Tell what a process wrote."""
        for line in lines:
            self.tell(Said(instance, line))
