"""Where a warning points: at the user's line, however much of this package is between."""

__all__ = ["level_of_user"]

_PACKAGE = __name__.partition(".")[0]


def level_of_user() -> int:
    """Return the `stacklevel` of the first line outside of this package, for a warning by who asks."""
    from inspect import currentframe  # noqa: PLC0415 - half of our import time, and few are warned

    frame, level = currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    return level
