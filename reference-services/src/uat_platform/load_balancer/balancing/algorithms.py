"""How one of several hosts is chosen.

    round-robin      one after the other
    weighted         the same, in proportion to their weights, evenly spread         (nginx's smooth form)
    least-requests   the one with the fewest requests for its weight
    p2c-ewma         the cheaper of two that are drawn by lot; failures are dear     (the default)
    hash             always the same one for the same key, unless it has too much    (bounded load)

Each is given the hosts, the time and a source of chance, and keeps nothing but what it says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, log
from typing import Protocol

from uat_platform.load_balancer.balancing.host import Host

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "Asked",
    "BoundedHash",
    "Draw",
    "LeastRequests",
    "PeakEwma",
    "RoundRobin",
]

Draw = Callable[[], float]
"""Returns a uniform number from [0, 1)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a choice goes by, besides the hosts.

    Attributes:
        now: The time.
        draw: The source of chance.
        key: Whose requests should go to one host.
    """

    now: float
    draw: Draw
    key: bytes = b""


class Algorithm(Protocol):
    """Chooses a host.

    Attributes:
        why: The reason for each of its choices, in words.
    """

    why: str

    def choose(self, among: Sequence[Host], asked: Asked) -> Host:
        """Return one of the hosts, of which there is at least one."""
        ...


class RoundRobin:
    """Give each host its turn, evenly spread.

    Each turn every host gains its weight, the richest is chosen and pays what all have gained. So of weights 5, 1
    and 1 the turns are a a b a c a a, and never five of one in a row.

    Args:
        weighted: Go by the weights of instances; else only by how warm a host is.
    """

    why = "it is its turn"

    def __init__(self, *, weighted: bool = False) -> None:
        self._weighted = weighted
        self._credit: dict[str, float] = {}

    def choose(self, among: Sequence[Host], asked: Asked) -> Host:
        """Return the host whose turn it is."""
        gains = {each.id: self._gain(each, asked.now) for each in among}
        credit = {id_: self._credit.get(id_, 0.0) + gain for id_, gain in gains.items()}
        chosen = max(among, key=lambda each: credit[each.id])
        credit[chosen.id] -= sum(gains.values())
        # Those who cannot be chosen now keep what they had, and take part again later.
        self._credit = {**self._credit, **credit} if len(self._credit) < _KEPT else credit
        return chosen

    def _gain(self, host: Host, now: float) -> float:
        return host.weight(now) if self._weighted else host.warmth(now)


class LeastRequests:
    """Take the host with the fewest requests for its weight; by lot where several have."""

    why = "it has the fewest requests for its weight"

    def choose(self, among: Sequence[Host], asked: Asked) -> Host:
        """Return the host with the fewest requests."""
        loads = [(each.running + 1) / each.weight(asked.now) for each in among]
        least = min(loads)
        best = [each for each, load in zip(among, loads, strict=True) if load <= least * _EQUAL]
        return best[int(asked.draw() * len(best))]


class PeakEwma:
    """Draw two hosts by lot, and take the one where a request is likely to cost less (see `Host.score`).

    One of all hosts would be better for a single request and worse for many: they would all go to the same one
    before it shows. And the worst host of all is never chosen, unless it is the only one.

    Where several hosts are ill, both may be. So two others are drawn as well, and taken where they cost far less.
    """

    why = "it is likely to cost less than others that were drawn by lot"

    def choose(self, among: Sequence[Host], asked: Asked) -> Host:
        """Return the cheaper of two, or of two others when both are dear beside those."""
        drawn = _drawn(among, asked.draw)
        two, others = drawn[:_CHOICES], drawn[_CHOICES:]
        best, cost = _cheapest(two, asked.now)
        if others:
            other, its = _cheapest(others, asked.now)
            if its * _FAR_LESS < cost:
                return other
        return best


class BoundedHash:
    """Send the same key to the same host, unless that has more than `factor` times its fair share running.

    Rendezvous hashing: each key has an order of hosts of its own, in which weights count. A host that comes or
    goes moves no other key. The bound is that of Mirrokni, Thorup and Zadimoghaddam (2016).

    Args:
        factor: Above 1.
    """

    why = "the key belongs there, or those before it are full"

    def __init__(self, factor: float = 1.25) -> None:
        if factor <= 1:
            raise ValueError(f"factor must be above 1, not {factor!r}")
        self._factor = factor

    def choose(self, among: Sequence[Host], asked: Asked) -> Host:
        """Return the first host of the key's order that has room."""
        total = sum(each.running for each in among) + 1
        weights = {each.id: each.weight(asked.now) for each in among}
        fair = self._factor * total / sum(weights.values())
        order = sorted(among, key=lambda each: (_place(asked.key, each), each.id))
        # One more than the bound: a client may ask again before the end of its last answer is counted.
        room = (each for each in order if each.running <= ceil(fair * weights[each.id]))
        return next(room, order[0])


def _drawn(among: Sequence[Host], draw: Draw) -> list[Host]:
    """Return four hosts, or all when there are fewer, in the order in which they were drawn by lot."""
    hosts = list(among)
    count = min(2 * _CHOICES, len(hosts))
    for place in range(count):
        lot = place + int(draw() * (len(hosts) - place))
        hosts[place], hosts[lot] = hosts[lot], hosts[place]
    return hosts[:count]


def _cheapest(hosts: Sequence[Host], now: float) -> tuple[Host, float]:
    """Return the host with the lowest score, the first of several, and its score."""
    scores = [each.score(now) for each in hosts]
    lowest = min(scores)
    return hosts[scores.index(lowest)], lowest


def _place(key: bytes, host: Host) -> float:
    digest = blake2b(key, digest_size=8, key=host.id.encode()[:64]).digest()
    lot = (int.from_bytes(digest, "big") + 1) / (_SPAN + 2)
    return -log(lot) / host.instance.weight


ALGORITHMS: dict[str, Callable[[], Algorithm]] = {
    "round-robin": RoundRobin,
    "weighted": lambda: RoundRobin(weighted=True),
    "least-requests": LeastRequests,
    "p2c-ewma": PeakEwma,
    "hash": BoundedHash,
}
"""What makes each of them, by the name that settings have for it."""

_CHOICES = 2
# Less, and hosts that are alike, and have had requests of different lengths, would take turns at being overrun.
_FAR_LESS = 4.0
_KEPT = 10_000
_EQUAL = 1.0 + 1e-9
_SPAN = 1 << 64
