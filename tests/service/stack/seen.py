"""A service that tells what its process was given, and ends as it is told.

STORE=1         imports the store
BROKEN=1        cannot be imported
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

import typing_extensions
from litestar import get

from uat_resilience.clock import SystemClock
from uat_service.app import Service

__all__ = ["service"]


def descriptors() -> dict[str, list[object]]:
    """Return what is open, and whether a program would inherit it."""
    found: dict[str, list[object]] = {}
    for path in list(Path("/proc/self/fd").iterdir()):
        if path.is_symlink():  # That of the listing itself is gone.
            kind = str(path.readlink()).partition(":")[0]
            found[path.name] = [kind, os.get_inheritable(int(path.name))]
    return found


FIRST = {
    "threads": [each.name for each in threading.enumerate()],
    "garbage": gc.isenabled(),
    "store": "uat_service.store" in sys.modules,
}
if "STORE" in os.environ:
    import uat_service.store  # noqa: F401 - as a service that has one
if "BROKEN" in os.environ:
    raise RuntimeError("broken")


@get("/seen", sync_to_thread=False)
def seen() -> dict[str, object]:
    """Return what all processes of this service have in common, however they came to be."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    main = sys.modules["__main__"]
    return {
        "argv": sys.argv,
        "orig_argv": sys.orig_argv,
        "path": sys.path,
        "flags": list(sys.flags),
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "first": {key: FIRST[key] for key in ("threads", "garbage")},
        "descriptors": descriptors(),
        "signals": [
            str(signal.getsignal(each)).partition(" at ")[0]
            for each in sorted(signal.valid_signals())
        ],
        "status": [
            line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt", "Umask"))
        ],
        "leads": os.getsid(0) == os.getpgid(0) == os.getpid(),
        "garbage": [gc.isenabled(), gc.get_freeze_count() > 10_000],
        "main": [main.__name__, str(main.__file__), main.__spec__ and main.__spec__.name],
        "streams": [
            [each.fileno(), each.encoding, each.line_buffering, each.write_through]
            for each in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "finders": [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path],
        "modules": sorted({each.partition(".")[0] for each in sys.modules if each[0] != "_"}),
    }


@get("/own", sync_to_thread=False)
def own() -> dict[str, object]:
    """Return what no two processes have in common."""
    return {
        "pid": os.getpid(),
        "chance": SystemClock.random(),
        "key": multiprocessing.current_process().authkey.hex(),
        "name": Path("/proc/self/comm").read_text(encoding="utf-8").strip(),
        "store": FIRST["store"],
        "version": getattr(typing_extensions, "VERSION", 0),
    }


@get("/exit/{code:int}", sync_to_thread=False)
def leave(code: int) -> None:
    """End at once."""
    os._exit(code)


service = Service("seen", routes=[seen, own, leave])
