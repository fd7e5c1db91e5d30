"""Whoever reads what `uat up` writes, until they have left: a pipe that nobody reads, a terminal that hung up."""

import errno
import os
from collections.abc import Callable

from uat_service.stack.journal import Event
from uat_service.stack.views import View

__all__ = ["Audience"]

_LEFT = frozenset({errno.EPIPE, errno.EIO})


class Audience:
    """Show events, and tell when there is nobody any more to show them to.

    Args:
        view: Where they are shown.
        left: Is called when they have left. From then on the view leads nowhere, and to write there is no error.
    """

    def __init__(self, view: View, *, left: Callable[[], object]) -> None:
        self._view = view
        self._left = left

    def hear(self, event: Event) -> None:
        """Show an event.

        Raises:
            OSError: It cannot be written, for another reason.
        """
        try:
            self._view.hear(event)
        except OSError as error:
            if error.errno not in _LEFT:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._view.out.fileno())
            os.close(nowhere)
            self._left()
