"""The command: what its arguments mean, and how a service is loaded."""

import argparse
import gc
import os
import socket
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from uat_service import serve
from uat_service.app import Service
from uat_service.environment import ConfigurationError
from uat_service.server import Server, inherited, listening

__all__ = ["CANNOT_START", "main"]

CANNOT_START = 3
_LAST_PORT = 65535
_LIFELINE = "UAT_LIFELINE_FD"


def main(arguments: list[str] | None = None, *, loaded: Callable[[], object] | None = None) -> None:
    """Serve what the command line names, until a signal comes.

    Args:
        arguments: The command line, if it is not that of this process.
        loaded: Called once the service is imported.
    """
    parser = argparse.ArgumentParser(prog="python -m uat_service.serve", description=serve.__doc__)
    parser.add_argument("app", help="the service, as MODULE:APP", metavar="MODULE:APP")
    parser.add_argument("--fd", type=int, help="a listening socket that was inherited")
    parser.add_argument("--own-fd", type=int, help="a second one, which no other process shares")
    parser.add_argument("--host", help="address to listen on, instead of HOST")
    parser.add_argument("--port", type=int, help="port to listen on, instead of PORT")
    given = parser.parse_args(arguments)
    service = _loaded(given.app)
    gc.freeze()  # Nor is it looked through later, which would stop all requests for a tenth of a second each time.
    if loaded is not None:
        loaded()
    settings = service.settings
    if given.fd is None:
        host = settings.host if given.host is None else given.host
        listener = _listening(host, settings.port if given.port is None else given.port)
    else:
        listener = _inherited(given.fd)
    own = [] if given.own_fd is None else [_inherited(given.own_fd)]
    service.listens = listener.getsockname()[:2]
    lifeline = os.environ.get(_LIFELINE)
    server = Server(
        service.asgi,
        shutdown=service.shutdown,
        delay=settings.shutdown_delay,
        grace=settings.shutdown_grace,
        lifeline=int(lifeline) if lifeline else None,
        inherited=given.fd is not None,
        faithful=service.faithful,
    )
    server.run([listener, *own])


def _loaded(name: str) -> Service:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        _fail(f"{name!r} is not of the form MODULE:APP")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    gc.disable()  # What is imported stays, as in `__main__`.
    try:
        found: object = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ConfigurationError as error:
        _fail(f"{name} cannot start with these settings:\n{error}")
    except Exception as error:  # noqa: BLE001 - whatever a module does when it is imported
        _fail(f"{name} cannot be loaded: {type(error).__name__}: {error}", error)
    finally:
        gc.enable()
    if not isinstance(found, Service):
        _fail(f"{name} must be a Service, not a {type(found).__name__}")
    return found


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        _fail(f"cannot listen on {host}:{port}: a port is a number from 0 to {_LAST_PORT}")
    try:
        return listening(host, port)
    except OSError as error:
        _fail(f"cannot listen on {host}:{port}: {error}")


def _inherited(descriptor: int) -> socket.socket:
    try:
        return inherited(descriptor)
    except (OSError, ValueError) as error:
        _fail(f"--fd {descriptor} is no socket: {error}")


def _fail(message: str, error: Exception | None = None) -> NoReturn:
    if error is not None:
        traceback.print_exception(error)
    sys.stderr.write(message + "\n")
    raise SystemExit(CANNOT_START)
