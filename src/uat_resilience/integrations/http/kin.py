"""Make an error of ours also one of the library's, so that who catches the library's errors catches ours.

The error keeps its cause, its notes and its traceback; it only gains a second parent.
There is one class for each pair of parents, and it survives pickling.
"""

from collections.abc import Callable
from typing import Any

from uat_resilience.errors import ResilienceError, TimedOutError

__all__ = ["Kinship"]


class Kinship:
    """Gives errors of ours a parent in one library.

    Args:
        refused: The library's error for a request that was not made.
        timed_out: Its error for one that took too long.
        attributes: What the library's own constructor would set.
    """

    __slots__ = ("_attributes", "_refused", "timed_out")

    def __init__(
        self,
        *,
        refused: type[Exception],
        timed_out: type[Exception],
        attributes: dict[str, object] | None = None,
    ) -> None:
        self._refused = refused
        self.timed_out = timed_out
        self._attributes = attributes or {}

    def adopt(self, error: ResilienceError) -> ResilienceError:
        """Return the error as one that is the library's too. Doing it twice is no error.

        Where the interpreter cannot make it one (the parents are laid out in different ways), it is a new error
        with all that the old one had.
        """
        theirs = self.timed_out if isinstance(error, TimedOutError) else self._refused
        if isinstance(error, theirs):
            return error
        for name, value in self._attributes.items():
            error.__dict__.setdefault(name, value)
        kind = _child(type(error), theirs)
        try:
            _CLASS.__set__(error, kind)
        except TypeError:
            return _copy(error, kind)
        return error


_CLASS: Any = object.__dict__["__class__"]  # What `error.__class__ = ...` calls.
_children: dict[tuple[type[ResilienceError], type[Exception]], type[ResilienceError]] = {}


def _copy(error: ResilienceError, kind: type[ResilienceError]) -> ResilienceError:
    copied = kind.__new__(kind, *error.args)
    copied.args = error.args
    copied.__dict__.update(error.__dict__)
    copied.__cause__ = error.__cause__
    return copied.with_traceback(error.__traceback__)


def _child(ours: type[ResilienceError], theirs: type[Exception]) -> type[ResilienceError]:
    child = _children.get((ours, theirs))
    if child is None:
        # Of two threads that get here at once, both use the class that is stored.
        child = _children.setdefault((ours, theirs), _born(ours, theirs))
    return child


def _born(ours: type[ResilienceError], theirs: type[Exception]) -> type[ResilienceError]:
    def __reduce__(error: ResilienceError) -> tuple[Callable[..., object], tuple[Any, ...]]:  # noqa: N807
        return _again, (ours, theirs, error.args, error.__dict__)

    names = {
        "__doc__": ours.__doc__,
        "__module__": ours.__module__,
        "__qualname__": ours.__qualname__,
        "__reduce__": __reduce__,
        "__str__": ours.__str__,
    }
    return type(ours.__name__, (ours, theirs), names)


def _again(
    ours: type[ResilienceError],
    theirs: type[Exception],
    args: tuple[object, ...],
    attributes: dict[str, object],
) -> ResilienceError:
    kind = _child(ours, theirs)
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
