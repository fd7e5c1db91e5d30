"""The numbers that decide who is fit for requests."""

from dataclasses import dataclass

from uat_resilience._core.arguments import at_least, fraction, seconds, seconds_or_zero

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a host is left out, and when it comes back.

    Attributes:
        failures_in_a_row: That get a host ejected. Five, as Envoy and the README's breakers have it.
        ejection: Seconds of the first ejection; each further one lasts twice as long.
        longest_ejection: Seconds of one at most.
        ejected_at_most: Share of the hosts that may be ejected at once, from 0 to 1. Rounded down, and one of two
            always may.
        panic_below: Share of fit hosts below which all hosts get requests, from 0 to 1.
        warm_up: Seconds in which a host that is new, or back, gets to its full share; 0 for none.
        failure_cost: Seconds that a failure counts as, above 0: a host that fails fast must not look fast.
        memory: Seconds after which an observation weighs a third, above 0.
    """

    failures_in_a_row: int = 5
    ejection: float = 5.0
    longest_ejection: float = 60.0
    ejected_at_most: float = 0.5
    panic_below: float = 0.3
    warm_up: float = 10.0
    failure_cost: float = 5.0
    memory: float = 10.0

    def __post_init__(self) -> None:
        at_least("failures_in_a_row", self.failures_in_a_row, 1)
        seconds("ejection", self.ejection)
        seconds("longest_ejection", self.longest_ejection)
        seconds_or_zero("warm_up", self.warm_up)
        seconds("failure_cost", self.failure_cost)
        seconds("memory", self.memory)
        for name in ("ejected_at_most", "panic_below"):
            share = getattr(self, name)
            if share != 0:
                fraction(name, share)

    def most_ejected(self, hosts: int) -> int:
        """Return how many of so many hosts may be ejected at once; never all of them."""
        if not self.ejected_at_most:
            return 0
        return min(hosts - 1, max(1, int(self.ejected_at_most * hosts)))
