"""The warning that a timeout guards what it cannot cut."""

import warnings

__all__ = ["UnenforcedTimeoutWarning", "warn_unenforced"]

_PACKAGE = __name__.partition(".")[0]


class UnenforcedTimeoutWarning(UserWarning):
    """A sync function is guarded by a timeout that cannot cut it."""


def warn_unenforced(name: str) -> None:
    """Tell the caller of a sync function that its timeout of this name does not cut it."""
    warnings.warn(
        f"{name} cannot cut a sync function: it only tells what is inside how long to wait. "
        "Say thread=False if that is meant, or thread=Bulkhead(32) to run the body in worker threads",
        UnenforcedTimeoutWarning,
        stacklevel=_caller(),
    )


def _caller() -> int:
    """Return how far up from `warn_unenforced` the first line outside of this package is.

    A guard may be called by the user, by `call()`, or by any number of guards around it.
    """
    # Imported here, as it would take half of our import time, and few are warned.
    from inspect import currentframe  # noqa: PLC0415 - see above

    frame, level = currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    return level
