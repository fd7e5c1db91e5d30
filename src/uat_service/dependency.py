"""What a service needs: checked before it starts to serve, and again and again while it does.

Dependency("prices", prices_answer)                     any function
Dependency("database", store.check)                     the SQLite or PostgreSQL of a `Store`
Dependency.redis("redis", address="cache:6379")         a Redis that takes commands
Dependency.redis_of(settings)                           that of the settings, if they name one
Dependency.tcp("smtp", host="mail", port=25)            whatever listens
"""

from dataclasses import dataclass
from functools import partial
from typing import Self

import anyio

from uat_resilience import HealthRegistry
from uat_resilience._core.arguments import flag, seconds, text
from uat_resilience.clock import Clock, default_clock
from uat_resilience.lifecycle import CheckReport, GracefulShutdown, Probe, Status
from uat_resilience.lifecycle.check import Question
from uat_resilience.waiting import world
from uat_service.addresses import redis_addresses
from uat_service.settings import Settings

__all__ = ["Dependency", "StartupError", "validate"]

_PAUSE = 0.25


class StartupError(RuntimeError):
    """A service cannot start: something it requires is not there. The message is a table of what failed."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something a service needs from outside.

    Args:
        name: What it is called in health and logs.
        check: Sync or async function: healthy when it returns None or True, not when it returns False or raises.
            Of what it raises only the type is ever shown.
        required: True when the service is of no use without it: then it must answer before the service starts,
            and the service is not ready while it does not. Otherwise the service is degraded without it.
        timeout: Seconds an answer may take, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    name: str
    check: Question
    required: bool = True
    timeout: float = 5.0

    def __post_init__(self) -> None:
        text("name", self.name)
        flag("required", self.required)
        seconds("timeout", self.timeout)
        if not callable(self.check):
            raise TypeError(f"check must be a function, not {self.check!r}")

    @classmethod
    def tcp(cls, name: str, *, host: str, port: int, required: bool = True) -> Self:
        """Return a dependency that is there when something listens on a port."""

        async def connect() -> None:
            async with await anyio.connect_tcp(host, port):
                pass

        return cls(name, connect, required=required)

    @classmethod
    def redis(
        cls,
        name: str,
        *,
        address: str,
        sentinel: str = "",
        password: str = "",
        sentinel_password: str = "",
        required: bool = False,
    ) -> Self:
        """Return a dependency that is there when a Redis, or a Valkey, takes commands: of a Cluster any node.

        Asked on a connection of its own each time, once and with no repeats, so that the answer comes in time
        whatever the settings of the service's own client are.

        Args:
            name: What it is called in health and logs.
            address: `host:port`, or several with commas between, as in `REDIS_ADDR`; without a port it is
                6379, and 26379 for a Sentinel.
            sentinel: That of `REDIS_SENTINEL`: the name of the set whose master is asked, or empty.
            password: That of `REDIS_PASSWORD`, or empty for none.
            sentinel_password: That of `REDIS_SENTINEL_PASSWORD`, or empty for none.
            required: False by default, as most services go on without it.

        Raises:
            TypeError, ValueError: An argument is of the wrong type, or the address is not of that form.
        """
        told = {
            "sentinel": sentinel,
            "password": password,
            "sentinel_password": sentinel_password,
        }
        for argument, value in told.items():
            if not isinstance(value, str):
                raise TypeError(f"{argument} must be a string, not a {type(value).__name__}")
        addresses = redis_addresses("address", address, sentinel=sentinel)
        from uat_service.redis_answer import (  # noqa: PLC0415 - redis-py is long to import, and few services have one
            redis_answers,
        )

        return cls(name, partial(redis_answers, addresses, **told), required=required)

    @classmethod
    def redis_of(cls, settings: Settings) -> list[Self]:
        """Return the Redis that settings name, which is not required; none where they name none."""
        if not settings.redis_addr:
            return []
        return [
            cls.redis(
                "redis",
                address=settings.redis_addr,
                sentinel=settings.redis_sentinel,
                password=settings.redis_password.get_secret_value(),
                sentinel_password=settings.redis_sentinel_password.get_secret_value(),
            )
        ]

    def register(self, health: HealthRegistry) -> None:
        """Let its check run with those of a registry."""
        check = health.check(self.name, critical=self.required, timeout=self.timeout)
        check(self.check)


async def validate(
    health: HealthRegistry,
    *,
    shutdown: GracefulShutdown,
    patience: float,
    clock: Clock | None = None,
) -> str | None:
    """Run the checks until all that is required is there.

    Args:
        health: The checks.
        shutdown: Ends the waiting when it begins.
        patience: Seconds to wait for what is required, 0 or more.
        clock: Time source. Default: the replaceable system clock.

    Returns:
        A table of what is not there and not required either, or None.

    Raises:
        StartupError: Something required is not there in time.
    """
    time = clock or default_clock.clock
    until = time.now() + patience
    with shutdown.track() as work:
        signal = work.signal
    while True:
        await health.arefresh()
        missing = {
            name: each
            for name, each in health.report(Probe.READINESS).checks.items()
            if each.status is not Status.HEALTHY
        }
        required = [each for each in missing.values() if _lacking(each)]
        if not required:
            return _table(missing) if missing else None
        if time.now() >= until or not shutdown.ready:
            raise StartupError(f"something required is not there:\n{_table(missing)}")
        await world().pause(time, min(_PAUSE, max(0.0, until - time.now())), signal)


def _lacking(check: CheckReport) -> bool:
    return check.critical and check.status is not Status.DEGRADED


def _table(missing: dict[str, CheckReport]) -> str:
    rows = [("DEPENDENCY", "REQUIRED", "STATUS", "ERROR", "AFTER")]
    for name, each in missing.items():
        status = "unknown" if each.status is None else each.status.name.lower()
        after = f"{each.elapsed or 0.0:.2f} s"
        rows.append((name, "yes" if each.critical else "no", status, each.error or "-", after))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
