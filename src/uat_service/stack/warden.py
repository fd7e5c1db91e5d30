"""Ends the children of a parent that is gone. `lifeline` runs it as a program; it needs the standard library only.

Its input is a pipe from the parent. A line `+123` names a process group that must not outlive the parent, `-123`
one that has ended. The end of the input means that the parent is no more, however that came about: the groups are
told to stop, and killed a second later.
"""

import os
import select
import signal
import sys
from contextlib import suppress

__all__ = ["main"]

_PATIENCE = 10  # tenths of a second


def main() -> None:
    """Serve one parent, until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        act = groups.add if line[0] == "+" else groups.discard
        act(int(line[1:]))
    left = _signalled(groups, signal.SIGTERM)
    for _ in range(_PATIENCE):
        if not left:
            return
        select.select([], [], [], 0.1)
        left = _signalled(left, 0)
    _signalled(left, signal.SIGKILL)


def _signalled(groups: set[int], number: int) -> set[int]:
    """Return those that are still there."""
    there: set[int] = set()
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            there.add(group)
    return there


if __name__ == "__main__":
    main()
