"""The warning that a timeout guards what it cannot cut."""

import warnings

from uat_resilience.policies.blamed import level_of_user

__all__ = ["UnenforcedTimeoutWarning", "warn_unenforced"]


class UnenforcedTimeoutWarning(UserWarning):
    """A sync function is guarded by a timeout that cannot cut it."""


def warn_unenforced(name: str) -> None:
    """Tell the caller of a sync function that its timeout of this name does not cut it."""
    warnings.warn(
        f"{name} cannot cut a sync function: it only tells what is inside how long to wait. "
        "Say thread=False if that is meant, or thread=Bulkhead(32) to run the body in worker threads",
        UnenforcedTimeoutWarning,
        stacklevel=level_of_user(),
    )
