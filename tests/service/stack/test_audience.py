"""Only those who have left are no error: what else cannot be written is told."""

import errno
import io
from collections.abc import Callable, Sequence

import pytest

from uat_service.stack.audience import Audience
from uat_service.stack.journal import Event, Note
from uat_service.stack.row import Row


class FullDisk:
    """A view into a file on a disk that has no room."""

    out = io.StringIO()

    def hear(self, event: Event) -> None:
        raise OSError(errno.ENOSPC, f"no room for {event}")

    async def run(self, rows: Callable[[], Sequence[Row]]) -> None:
        """Show nothing."""


def test_a_disk_that_is_full_is_told_and_stops_nothing() -> None:
    left: list[str] = []
    audience = Audience(FullDisk(), left=lambda: left.append("left"))

    with pytest.raises(OSError, match="no room"):
        audience.hear(Note("started"))

    assert left == []
