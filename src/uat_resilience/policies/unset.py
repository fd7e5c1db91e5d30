"""What stands for an argument that was not given, as None is a value like any other."""

from enum import Enum, auto
from typing import TypeVar

__all__ = ["Unset", "given"]

T = TypeVar("T")


class Unset(Enum):
    """Not given. An enum of one member, so that type checkers can tell it from what was."""

    UNSET = auto()


def given(value: T | Unset, otherwise: T) -> T:
    """Return a value that was given, and `otherwise` for one that was not."""
    return otherwise if isinstance(value, Unset) else value
