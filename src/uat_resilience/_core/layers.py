"""Values laid over one another, each for the length of a block: the newest whose block has not ended counts.

Not simply what was there before the block: blocks need not end in the order they began. One that a coroutine was
abandoned in ends when the garbage collector finds it, in the middle of somebody else's.
"""

from typing import Generic, TypeVar

__all__ = ["Layers"]

T = TypeVar("T")


class Layers(Generic[T]):
    """A pile of values. Thread-safe without a lock, which a garbage collection could find held by its own thread.

    Args:
        bottom: What counts while nothing lies over it.
    """

    __slots__ = ("_layers",)

    def __init__(self, bottom: T) -> None:
        self._layers: dict[object, T] = {None: bottom}

    def put_on(self, value: T) -> object:
        """Lay a value over all others; return what takes it off."""
        key = object()
        self._layers[key] = value
        return key

    def take_off(self, key: object) -> T:
        """Take a value off, wherever it lies, and return the one that counts now."""
        del self._layers[key]
        return list(self._layers.values())[-1]
