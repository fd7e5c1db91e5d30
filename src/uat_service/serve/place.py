"""How a forked process takes the place of one that would have been started."""

import fcntl
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing import process

from uat_service.serve.birth import Birth
from uat_service.serve.process_name import name_process

__all__ = ["take_place"]


def take_place(birth: Birth) -> None:
    """Be what `birth` says, once the start is given.

    Raises:
        SystemExit: Nobody wants it any more.
    """
    output, start, *inherited = birth.descriptors
    if not os.read(start, 1):
        sys.exit()
    _place([output, output, *inherited], [1, 2, *birth.numbers], instead_of=birth)
    os.environ.clear()
    os.environ.update(birth.env)
    # `uat` may have been started where some are ignored; what it starts has them as they are at first.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    process.current_process().authkey = os.urandom(32)  # Drawn when it is imported.
    importlib.invalidate_caches()
    sys.orig_argv = list(birth.command)
    name_process(birth.env["UAT_STACK_INSTANCE"])


def _place(here: Sequence[int], there: Sequence[int], *, instead_of: Birth) -> None:
    """Give descriptors their numbers. First out of the way, for one may have the number of another."""
    above = max(there) + 1
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for each in here]
    instead_of.close()
    for descriptor, number in zip(moved, there, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
