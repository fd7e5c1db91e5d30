"""One host, as the balancing sees it: what runs there, how it did, and what that makes of it."""

from dataclasses import dataclass
from enum import Enum

from uat_platform.load_balancer.balancing.checked import Checked, Verdict
from uat_platform.load_balancer.balancing.fading import FailureShare, PeakLatency
from uat_platform.load_balancer.balancing.outlier import Outlier
from uat_platform.load_balancer.balancing.rules import Rules
from uat_resilience._core.ramp import Ramp
from uat_service.resolver import Instance

__all__ = ["Host", "State", "Ticket"]


class State(Enum):
    """What a host is good for now."""

    FIT = "fit"
    WARMING = "warming"
    EJECTED = "ejected"
    DOWN = "down"


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request at one host.

    Attributes:
        host: Where.
        began: When.
        probe: It tries a host that was ejected.
    """

    host: "Host"
    began: float
    probe: bool = False


class Host:
    """What is known of one instance. Not thread-safe.

    Args:
        instance: Where it is.
        rules: The numbers.
        now: The time.
        warm: It has its full share at once.

    Attributes:
        requests: Sent there so far.
        failures: Of them.
        running: Requests whose answers are not over.
    """

    def __init__(self, instance: Instance, rules: Rules, now: float, *, warm: bool) -> None:
        self.instance = instance
        self._rules = rules
        self._ramp = Ramp(rules.warm_up) if rules.warm_up else None
        self._since: float | None = None if warm else now
        self._came = now
        self._waiting: dict[Ticket, None] = {}
        self.latency = PeakLatency(rules.memory)
        self.share = FailureShare(rules.memory)
        self.outlier = Outlier(rules)
        self.checked = Checked()
        self.requests = self.failures = self.running = 0

    @property
    def id(self) -> str:
        """What tells it from others."""
        return self.instance.id

    @property
    def fit(self) -> bool:
        """Whether it gets requests, unless there is panic."""
        return self.checked.verdict is not Verdict.DOWN and not self.outlier.out

    def used_to_load(self, now: float) -> bool:
        """Return whether it has been there for as long as it takes to warm up."""
        return now - self._came >= self._rules.warm_up

    def warmth(self, now: float) -> float:
        """Return the part of its share that it gets, above 0 and up to 1."""
        if self._ramp is None or self._since is None:
            return 1.0
        return self._ramp.share(now - self._since)

    def weight(self, now: float) -> float:
        """Return its share of requests, beside the others' weights."""
        return self.instance.weight * self.warmth(now)

    def expected(self, now: float) -> float:
        """Return the seconds an answer is likely to take: at least those that one has been waited for."""
        waited = now - next(iter(self._waiting)).began if self._waiting else 0.0
        if not self.latency.known and self._waiting:
            return self._rules.failure_cost  # Nobody knows how it is: one request finds out.
        return max(self.latency.read(now), waited)

    def score(self, now: float) -> float:
        """Return what a request there is likely to cost, in seconds: the less, the better.

        (expected latency + failure cost * share of failures) * (running + 1) / weight
        """
        cost = self.expected(now) + self._rules.failure_cost * self.share.read(now)
        return cost * (self.running + 1) / self.weight(now)

    def state(self, now: float) -> State:
        """Return what it is good for."""
        if self.checked.verdict is Verdict.DOWN:
            return State.DOWN
        if self.outlier.out:
            return State.EJECTED
        return State.FIT if self.warmth(now) >= 1.0 else State.WARMING

    def why(self, now: float) -> str:
        """Return the reason for its state, in words."""
        match self.state(now):
            case State.DOWN:
                return f"its check fails: {self.checked.error}"
            case State.EJECTED:
                left = self.outlier.left(now)
                return (
                    f"failed too often; tried again in {left:.1f} s"
                    if left
                    else "about to be tried again"
                )
            case State.WARMING:
                return f"new or back: {self.warmth(now):.0%} of its share"
            case State.FIT:
                return "answers its checks" if self.checked.at is not None else "not checked yet"

    def begin(self, now: float, *, probe: bool) -> Ticket:
        """Take note of a request that goes there."""
        ticket = Ticket(self, now, probe)
        self._waiting[ticket] = None
        self.running += 1
        self.requests += 1
        if probe:
            self.outlier.probing = True
        return ticket

    def answered(self, ticket: Ticket, now: float, *, failed: bool, allowed: bool) -> bool:
        """Take note of what came of a request; True when the host was ejected, or is back, by that.

        Args:
            ticket: The request.
            now: The time.
            failed: It was a failure.
            allowed: One more host may be ejected.
        """
        self._waiting.pop(ticket, None)
        took = now - ticket.began
        # Who refuses at once is not quick: of failures only the slow ones say how long an answer takes.
        if not failed or took > self.latency.read(now):
            self.latency.observe(took, now)
        self.share.observe(failed=failed, now=now)
        if failed:
            self.failures += 1
            return self.outlier.failed(now, allowed=allowed)
        back = self.outlier.succeeded(now) if ticket.probe or not self.outlier.out else False
        if back:
            self.warm_up(now)
        return back

    def broke(self, now: float) -> None:
        """Take note that an answer which had begun well broke off."""
        self.failures += 1
        self.share.observe(failed=True, now=now)

    def over(self, ticket: Ticket) -> None:
        """Take note that a request runs there no more, whatever came of it."""
        self.running -= 1
        if ticket in self._waiting:
            # Nothing came of it, as when its client left: the host is neither better nor worse for that.
            del self._waiting[ticket]
            if ticket.probe:
                self.outlier.probing = False

    def warm_up(self, now: float) -> None:
        """Begin with a small share again."""
        self._since = now
