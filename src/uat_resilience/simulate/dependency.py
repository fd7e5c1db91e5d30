"""A model of what is called: how long it takes, how much it can do at once, and when it is not well."""

from dataclasses import dataclass

from uat_resilience._core.arguments import (
    at_least,
    flag,
    non_negative,
    number,
    positive,
    seconds,
    seconds_or_zero,
)
from uat_resilience.simulate.latency import Latency

__all__ = ["BrownOut", "Dependency", "DependencyError", "Outage"]


class DependencyError(Exception):
    """A simulated dependency failed, or turned a call away. Name it in `on=`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The dependency is gone for some time: what is inside fails, and what comes is turned away.

    Args:
        at: Seconds until it begins, 0 or more.
        lasts: Seconds, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    at: float
    lasts: float

    def __post_init__(self) -> None:
        seconds_or_zero("at", self.at)
        seconds("lasts", self.lasts)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrownOut:
    """The dependency is not itself for some time: slower, smaller, or failing part of its calls.

    Calls that have begun go on as they began. Several at the same time multiply.

    Args:
        at: Seconds until it begins, 0 or more.
        lasts: Seconds, above 0.
        slower: Times longer that calls take which begin in it, above 0.
        capacity: Share of the servers that work, 0 or more: 0 stops them all, 2 doubles them.
        error_rate: Share of calls that fail besides, from 0 to 1.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    at: float
    lasts: float
    slower: float = 1.0
    capacity: float = 1.0
    error_rate: float = 0.0

    def __post_init__(self) -> None:
        seconds_or_zero("at", self.at)
        seconds("lasts", self.lasts)
        positive("slower", self.slower)
        non_negative("capacity", self.capacity)
        _share("error_rate", self.error_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What is called: so many servers, first come, first served, with a queue before them.

    Args:
        latency: Seconds that a server works on a call: `Fixed`, `Memoryless`, `LogNormal`, `Uniform`, or anything
            with `sampler(lots)`.
        servers: Calls it works on at once, at least 1, or None for any number.
        queue: Calls that wait for a server at most, 0 or more, or None for any number. Others are turned away.
        error_rate: Share of calls that fail after having taken their time, from 0 to 1.
        troubles: `Outage` and `BrownOut`, in any order.
        notices: True for one that stops working on a call when its caller leaves. Most do not: a timeout frees the
            caller, and the work goes on for nobody.
        turning_away: Seconds it takes to turn a call away, above 0.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    latency: Latency
    servers: int | None = None
    queue: int | None = None
    error_rate: float = 0.0
    troubles: tuple[Outage | BrownOut, ...] = ()
    notices: bool = False
    turning_away: float = 0.001

    def __post_init__(self) -> None:
        if not callable(getattr(self.latency, "sampler", None)):
            raise TypeError(
                f"latency must be Fixed, Memoryless, LogNormal or Uniform, not {self.latency!r}"
            )
        if self.servers is not None:
            at_least("servers", self.servers, 1)
        if self.queue is not None:
            at_least("queue", self.queue, 0)
        _share("error_rate", self.error_rate)
        for trouble in self.troubles:
            if not isinstance(trouble, Outage | BrownOut):
                raise TypeError(f"troubles must be Outages and BrownOuts, not {trouble!r}")
            resized = isinstance(trouble, BrownOut) and trouble.capacity != 1.0
            if resized and self.servers is None:
                raise ValueError("servers must be a number, not None, for a BrownOut with capacity")
        flag("notices", self.notices)
        seconds("turning_away", self.turning_away)


def _share(argument: str, value: object) -> None:
    rule = "a share from 0 to 1"
    if not 0 <= number(argument, value, rule) <= 1:
        raise ValueError(f"{argument} must be {rule}, not {value!r}")
