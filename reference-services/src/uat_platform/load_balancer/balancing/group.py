"""The hosts of one service: who is fit, who gets the next request, and when all rules are off.

    its check fails       gets nothing, and counts for no limit on ejections
    ejected               gets nothing until it is due; at most a share of the hosts are
    fit                   the algorithm chooses

When too few are fit, the checks are likelier to be wrong than so many hosts to be ill, and the few could not carry
the load anyway: then there is panic, and all get requests, by the same algorithm.
"""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass

from uat_platform.load_balancer.balancing.algorithms import ALGORITHMS, Algorithm, Asked
from uat_platform.load_balancer.balancing.checked import Verdict
from uat_platform.load_balancer.balancing.host import Host, Ticket
from uat_platform.load_balancer.balancing.rules import Rules
from uat_service.resolver import Instance

__all__ = ["Choice", "Group"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request goes.

    Attributes:
        host: There.
        why: In words.
        probe: It tries a host that was ejected.
        panic: Too few were fit, so anyone could be chosen.
    """

    host: Host
    why: str
    probe: bool
    panic: bool


class Group:
    """Balance the requests for one service. Not thread-safe.

    Args:
        algorithm: Name of what chooses among those that are fit.
        rules: The numbers.

    Attributes:
        algorithm: As given.
        rules: As given.
    """

    def __init__(self, algorithm: str, rules: Rules) -> None:
        self.rules = rules
        self._hosts: dict[str, Host] = {}
        self.use(algorithm)

    def use(self, algorithm: str) -> None:
        """Choose by another algorithm from now on.

        Raises:
            KeyError: There is none with this name.
        """
        self._algorithm: Algorithm = ALGORITHMS[algorithm]()
        self.algorithm = algorithm

    @property
    def hosts(self) -> Collection[Host]:
        """All of them, in the order in which they came."""
        return self._hosts.values()

    def __getitem__(self, id_: str) -> Host:
        """Return a host.

        Raises:
            KeyError: There is none with this id.
        """
        return self._hosts[id_]

    def put(self, instance: Instance, now: float) -> None:
        """Add a host, or take note that it has changed.

        One that comes beside others warms up. Where none is fit, or all who are have just come themselves, as at
        the start of a service, it has its full share at once: nobody else is used to the load.
        """
        host = self._hosts.get(instance.id)
        if host is None or host.instance.url != instance.url:
            warm = not any(each.fit and each.used_to_load(now) for each in self._hosts.values())
            self._hosts[instance.id] = Host(instance, self.rules, now, warm=warm)
        else:
            host.instance = instance

    def drop(self, id_: str) -> None:
        """Remove a host. What runs there goes on."""
        self._hosts.pop(id_, None)

    @property
    def fit(self) -> list[Host]:
        """Those that get requests, unless there is panic."""
        return [each for each in self._hosts.values() if each.fit]

    @property
    def panic(self) -> bool:
        """Whether too few are fit."""
        return self._panic(len(self.fit))

    def imagined(self, algorithm: str | None = None) -> "Group":
        """Return a copy, with another algorithm if need be: what is picked there happens nowhere."""
        copy = deepcopy(self)
        if algorithm is not None:
            copy.use(algorithm)
        return copy

    def pick(
        self, asked: Asked, *, tried: Collection[str] = (), repeatable: bool = True
    ) -> Choice | None:
        """Return where the next request goes, or None for nowhere.

        Args:
            asked: What the choice goes by.
            tried: Ids of hosts that have had a go at it, and get no other.
            repeatable: It can be sent again elsewhere.
        """
        fit = self.fit
        panic = self._panic(len(fit))
        probe = self._due(asked.now, tried, repeatable=repeatable)
        if probe is not None:
            return Choice(probe, "it was ejected, and is tried again", probe=True, panic=panic)
        among = [each for each in (self._hosts.values() if panic else fit) if each.id not in tried]
        if not among:
            return None
        host = self._algorithm.choose(among, asked)
        return Choice(host, self._algorithm.why, probe=False, panic=panic)

    def answered(self, ticket: Ticket, now: float, *, failed: bool) -> bool:
        """Take note of what came of a request; True when the host was ejected, or is back, by that."""
        return ticket.host.answered(ticket, now, failed=failed, allowed=self._room())

    def checked(self, id_: str, error: str | None, now: float, *, certain: bool = False) -> bool:
        """Take note of an active check; True when that changes what the host is good for."""
        host = self._hosts.get(id_)
        if host is None:
            return False
        was_down = host.checked.verdict is Verdict.DOWN
        changed = host.checked.take(error, now, certain=certain)
        if was_down and changed:
            host.warm_up(now)
        return changed

    def _due(self, now: float, tried: Collection[str], *, repeatable: bool) -> Host | None:
        for each in self._hosts.values():
            if (
                each.outlier.out
                and each.checked.verdict is not Verdict.DOWN
                and each.id not in tried
                and each.outlier.due(now, repeatable=repeatable)
            ):
                return each
        return None

    def _room(self) -> bool:
        """Return whether one more host may be ejected. Those whose checks fail take no place."""
        out = sum(
            each.outlier.out and each.checked.verdict is not Verdict.DOWN
            for each in self._hosts.values()
        )
        return out < self.rules.most_ejected(len(self._hosts))

    def _panic(self, fit: int) -> bool:
        return fit < self.rules.panic_below * len(self._hosts)
