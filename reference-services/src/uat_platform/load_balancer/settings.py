"""What the load balancer may be told from outside, under the names of environment variables in small letters."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from uat_platform.load_balancer.balancing.algorithms import ALGORITHMS
from uat_platform.load_balancer.balancing.rules import Rules
from uat_service.duration import Duration, Pause
from uat_service.resolver import Instance
from uat_service.settings import Settings
from uat_service.store import StoreUrl

__all__ = ["BalancerSettings"]

Name = Literal["round-robin", "weighted", "least-requests", "p2c-ewma", "hash"]
_ALIASES = ("vision=rust_vision", "ai=rust_ai_core", "analytics=rust_analytics")
_Share = Annotated[float, Field(ge=0, le=1)]


class BalancerSettings(Settings):
    """The settings of the load balancer, besides those that every service has.

    `REGISTRATION_TOKEN` is what others have to show as a bearer token when they register. Empty: anybody may, so
    only where all that can reach the port are trusted.

    Attributes:
        database_url: Where the registry is kept for the next start: `sqlite:///path` or `postgresql://...`.
        algorithm: How a host is chosen.
        algorithms: The same for single services: `shop=hash`, several by commas.
        targets: Instances that cannot register themselves: `shop=http://10.0.0.7:80`, several by commas.
        aliases: First parts of paths that belong to a service: `vision=rust_vision`, several by commas.
        affinity_header: What `hash` goes by; the client's address where a request does not have it.
        lease: Seconds of a lease where an instance asks for none.
        longest_lease: Seconds of a lease at most.
        stale_for: Seconds after a start for which instances of before are served without being heard of.
        absence: Seconds a request waits for a service whose last instance has just gone, as when it restarts.
        check_interval: Seconds between two checks of a host.
        check_timeout: Seconds for a check.
        recheck: Seconds until a host is checked again that has failed.
        failures_in_a_row: That get a host ejected.
        ejection: Seconds of a first ejection; each further one lasts twice as long.
        longest_ejection: Seconds of one at most.
        ejected_at_most: Share of the hosts that may be ejected at once.
        panic_below: Share of fit hosts below which all get requests.
        warm_up: Seconds in which a host that is new or back gets to its full share.
        failure_cost: Seconds that a failure counts as.
        connect_timeout: Seconds to connect to a host in.
        patience: Seconds of silence of a host.
        retry_ratio: Requests that may be sent once more, as a share of all.
        retry_minimum: Requests a second that always may.
    """

    port: Annotated[int, Field(ge=0, le=65535)] = 8011
    bulkhead_size: Annotated[int, Field(ge=1)] = 1000
    database_url: StoreUrl = "sqlite:///.uat/load-balancer.db"
    algorithm: Name = "p2c-ewma"
    algorithms: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    aliases: tuple[str, ...] = _ALIASES
    affinity_header: str = "X-Affinity-Key"
    lease: Duration = 15.0
    longest_lease: Duration = 300.0
    stale_for: Duration = 60.0
    absence: Pause = 3.0
    check_interval: Duration = 30.0
    check_timeout: Duration = 2.0
    recheck: Duration = 1.0
    failures_in_a_row: Annotated[int, Field(ge=1)] = 5
    ejection: Duration = 5.0
    longest_ejection: Duration = 60.0
    ejected_at_most: _Share = 0.5
    panic_below: _Share = 0.3
    warm_up: Pause = 10.0
    failure_cost: Duration = 5.0
    connect_timeout: Duration = 2.0
    patience: Duration = 60.0
    retry_ratio: Annotated[float, Field(ge=0)] = 0.2
    retry_minimum: Annotated[float, Field(ge=0)] = 10.0

    @model_validator(mode="after")
    def _sensible(self) -> "BalancerSettings":
        for service, algorithm in self.algorithm_of.items():
            if algorithm not in ALGORITHMS:
                raise ValueError(
                    f"ALGORITHMS must name one of {', '.join(ALGORITHMS)} for {service}"
                )
        for _, url in self.static:
            Instance(url)
        _pairs("ALIASES", self.aliases)
        return self

    @property
    def algorithm_of(self) -> dict[str, str]:
        """Algorithms by service, where they differ from the general one."""
        return dict(_pairs("ALGORITHMS", self.algorithms))

    @property
    def static(self) -> list[tuple[str, str]]:
        """Service and URL of each instance that is always there."""
        return _pairs("TARGETS", self.targets)

    @property
    def alias_of(self) -> dict[str, str]:
        """Services by the first part of a path."""
        return dict(_pairs("ALIASES", self.aliases))

    @property
    def rules(self) -> Rules:
        """The numbers of the balancing."""
        return Rules(
            failures_in_a_row=self.failures_in_a_row,
            ejection=self.ejection,
            longest_ejection=self.longest_ejection,
            ejected_at_most=self.ejected_at_most,
            panic_below=self.panic_below,
            warm_up=self.warm_up,
            failure_cost=self.failure_cost,
        )


def _pairs(setting: str, given: Iterable[str]) -> list[tuple[str, str]]:
    pairs = [each.partition("=") for each in given if each.strip()]
    if not all(equals and name.strip() and value.strip() for name, equals, value in pairs):
        raise ValueError(f"{setting} must be like NAME=VALUE, several by commas")
    return [(name.strip(), value.strip()) for name, _, value in pairs]
