"""A slow host beside good ones, on a machine that pauses now and then: played in time that only the test knows."""

from collections.abc import Generator
from heapq import heappop, heappush
from itertools import count
from random import Random  # noqa: TID251 - seeded, so that a test draws the same every time
from typing import Any

import pytest

from uat_platform.load_balancer.balancing.algorithms import Asked
from uat_platform.load_balancer.balancing.fading import PeakLatency
from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.balancing.rules import Rules
from uat_service.resolver import Instance

GOOD, SLOW, RATE, SECONDS = 0.01, 0.1, 100, 60


def played(pause: float) -> Generator[tuple[float, float]]:
    """Yield how long each request was due for, and how long its host takes, with a pause in every second."""
    hosts, draw, order = Group("p2c-ewma", Rules()), Random(7).random, count()
    takes = {"http://a:1": GOOD, "http://b:1": GOOD, "http://slow:1": SLOW}
    for url in takes:
        hosts.put(Instance(url), 0.0)

    def noticed(at: float) -> float:
        return max(at, int(at) + pause)

    waiting: list[Any] = []
    for number in range(RATE * SECONDS):
        heappush(waiting, (noticed(number / RATE), next(order), number / RATE, None))
    while waiting:
        now, _, due, ticket = heappop(waiting)
        if ticket is None:
            choice = hosts.pick(Asked(now, draw))
            assert choice is not None
            ticket = choice.host.begin(now, probe=choice.probe)
            heappush(waiting, (noticed(now + takes[ticket.host.id]), next(order), due, ticket))
        else:
            hosts.answered(ticket, now, failed=False)
            ticket.host.over(ticket)
            yield now - due, takes[ticket.host.id]


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.04])
def test_pauses_of_ours_send_nobody_to_the_slow_host(pause: float) -> None:
    requests = list(played(pause))

    slow = sum(takes == SLOW for _, takes in requests) / len(requests)
    times = sorted(took for took, _ in requests)

    assert 0 < slow < 0.01, "it is asked, to see how it is now, and that is all"
    assert times[int(len(times) * 0.99)] < SLOW


def test_ten_answers_wipe_out_what_one_pause_has_shown() -> None:
    latency = PeakLatency(memory=10.0)
    latency.observe(1.0, 0.0)

    for number in range(1, 31):
        latency.observe(0.01, number / 1000)

    assert 0.01 < latency.read(0.03) < 0.1


def test_nobody_who_is_slow_again_and_again_looks_quick_between() -> None:
    latency = PeakLatency(memory=10.0)

    for number in range(100):
        latency.observe(1.0 if number % 5 == 0 else 0.01, number / 100)

    assert latency.read(1.0) > 0.5


def test_host_that_nobody_asks_is_forgiven_by_time_alone() -> None:
    latency = PeakLatency(memory=10.0)
    latency.observe(1.0, 0.0)

    assert 0.3 < latency.read(10.0) < 0.4
    assert latency.read(60.0) < 0.01
