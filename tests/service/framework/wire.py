"""The server's end of a connection, with nobody at the other one."""

import asyncio
from collections.abc import Iterable

__all__ = ["Wire"]


class Wire(asyncio.Transport):
    """Keeps what is written.

    Attributes:
        writes: What was handed over in one call each.
        open: False once it was closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.open = True

    @property
    def told(self) -> bytes:
        """All that was written."""
        return b"".join(self.writes)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take what is sent."""
        assert self.open, "written after the end"
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Take what is sent together."""
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return not self.open

    def pause_reading(self) -> None:
        """All has been read already."""

    def resume_reading(self) -> None:
        """Nothing more comes."""

    def close(self) -> None:
        """End."""
        self.open = False
