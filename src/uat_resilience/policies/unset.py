"""What stands for an argument that was not given, as None is a value like any other."""

from enum import Enum, auto

__all__ = ["Unset"]


class Unset(Enum):
    """Not given. An enum of one member, so that type checkers can tell it from what was."""

    UNSET = auto()
