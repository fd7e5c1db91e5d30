"""What tells children that their parent is gone, and ends those that do not listen."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from uat_service.stack import warden

__all__ = ["Lifeline"]


class Lifeline:
    """Two pipes that break when this process ends, even by `kill -9`.

    Children inherit the read end of the first, `fd`: at its end they stop by themselves. The second leads to a
    small process, the warden, which stops the children that did not, and whatever they have started.
    """

    def __init__(self) -> None:
        self.fd, self._ours = os.pipe()
        self._warden = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", str(Path(warden.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._ours)
        os.close(self.fd)
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        self._warden.wait()

    def hold(self, pid: int) -> None:
        """Let this process group end with us."""
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """Forget a process group that has ended."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        # Without a warden children still have the other pipe.
        with suppress(BrokenPipeError):
            if self._warden.stdin is not None:
                self._warden.stdin.write(line.encode())
