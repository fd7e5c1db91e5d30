"""Groups of hosts on time that the test tells, and what happens to them."""

from random import Random  # noqa: TID251 - seeded, so that a test draws the same every time

from uat_platform.load_balancer.balancing.algorithms import Asked
from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.balancing.host import Host
from uat_platform.load_balancer.balancing.rules import Rules
from uat_service.resolver import Instance

__all__ = ["COLD", "asked", "group", "served"]

COLD = Rules(warm_up=0.0)


def group(count: int, algorithm: str = "p2c-ewma", rules: Rules = COLD) -> Group:
    group = Group(algorithm, rules)
    for i in range(count):
        group.put(Instance(f"http://h{i}:1"), 0.0)
    return group


def asked(now: float = 0.0, seed: int = 1, key: bytes = b"") -> Asked:
    return Asked(now, Random(seed).random, key)


def served(
    group: Group, host: Host, *, now: float, took: float = 0.01, failed: bool = False
) -> None:
    ticket = host.begin(now - took, probe=host.outlier.due(now, repeatable=True))
    group.answered(ticket, now, failed=failed)
    host.over(ticket)
