"""What was found out about a secret, for a while: by its hash, and never too many of them."""

from collections import OrderedDict
from hashlib import sha256
from typing import Generic, TypeVar

from uat_resilience._core.arguments import at_least

__all__ = ["Memory"]

T = TypeVar("T")


class Memory(Generic[T]):
    """Remember values by secrets, which are not kept themselves. Belongs to one event loop.

    Args:
        most: Values at most, at least 1; the one that was asked for longest ago goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = at_least("most", most, 1)
        self._kept: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, secret: str, now: float) -> T | None:
        """Return the value, or None when there is none or its time is over."""
        key = _hash(secret)
        found = self._kept.get(key)
        if found is None:
            return None
        if found[1] <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, secret: str, value: T, until: float) -> None:
        """Remember a value until a time."""
        self._kept[_hash(secret)] = value, until
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
