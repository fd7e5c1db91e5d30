"""The balancing by itself: pure machines, told what time it is and what the dice show."""

from collections import Counter
from random import Random  # noqa: TID251 - seeded, so that a test draws the same every time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_balancer.groups import COLD, asked, group, served

from uat_platform.load_balancer.balancing.algorithms import (
    ALGORITHMS,
    Asked,
    BoundedHash,
    LeastRequests,
    PeakEwma,
    RoundRobin,
)
from uat_platform.load_balancer.balancing.host import Host, State
from uat_platform.load_balancer.balancing.rules import Rules
from uat_service.resolver import Instance

WEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def made(weights: list[int], rules: Rules = COLD) -> list[Host]:
    return [
        Host(Instance(f"http://h{i}:1", weight=each), rules, 0.0, warm=True)
        for i, each in enumerate(weights)
    ]


@given(WEIGHTS, st.integers(0, 1000), st.binary(max_size=8))
def test_every_algorithm_chooses_one_of_those_there_are(
    weights: list[int], seed: int, key: bytes
) -> None:
    hosts = made(weights)
    for make in ALGORITHMS.values():
        assert make().choose(hosts, asked(seed=seed, key=key)) in hosts


@given(WEIGHTS)
def test_weighted_turns_are_exact_in_every_round(weights: list[int]) -> None:
    hosts, algorithm = made(weights), RoundRobin(weighted=True)

    turns = Counter(algorithm.choose(hosts, asked()).id for _ in range(3 * sum(weights)))

    assert turns == {host.id: 3 * weight for host, weight in zip(hosts, weights, strict=True)}


def test_weighted_turns_are_spread() -> None:
    hosts, algorithm = made([5, 1, 1]), RoundRobin(weighted=True)

    turns = "".join("abc"[hosts.index(algorithm.choose(hosts, asked()))] for _ in range(7))

    assert turns == "aabacaa"


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(0, 1000))
def test_least_requests_means_least(running: list[int], seed: int) -> None:
    hosts = made([1] * len(running))
    for host, count in zip(hosts, running, strict=True):
        host.running = count

    assert LeastRequests().choose(hosts, asked(seed=seed)).running == min(running)


@given(st.lists(st.floats(0.001, 9.0), min_size=2, max_size=8, unique=True), st.integers(0, 1000))
def test_the_worst_host_is_never_the_choice_of_two(latencies: list[float], seed: int) -> None:
    hosts = made([1] * len(latencies))
    for host, latency in zip(hosts, latencies, strict=True):
        host.latency.observe(latency, 0.0)

    worst = max(hosts, key=lambda each: each.score(0.0))

    assert PeakEwma().choose(hosts, asked(seed=seed)) is not worst


@given(st.floats(0.0001, 0.01), st.floats(0.02, 2.0))
def test_who_fails_fast_is_worse_than_who_is_slow(fast: float, slow: float) -> None:
    both = group(2)
    failing, working = both.hosts
    served(both, failing, now=1.0, took=fast, failed=True)
    served(both, working, now=1.0, took=slow)

    assert failing.score(1.0) > working.score(1.0)
    assert both.pick(asked(1.0)).host is working


def test_a_host_that_hangs_is_worse_the_longer_it_does() -> None:
    both = group(2)
    hanging, working = both.hosts
    for each in both.hosts:
        served(both, each, now=0.0, took=0.01)
    hanging.begin(0.0, probe=False)

    assert hanging.score(3.0) > 100 * working.score(3.0)


@given(st.integers(2, 12), st.lists(st.binary(min_size=1, max_size=6), max_size=30, unique=True))
def test_a_host_that_leaves_moves_only_its_own_keys(count: int, keys: list[bytes]) -> None:
    hosts = made([1] * count)
    before = {key: BoundedHash().choose(hosts, asked(key=key)) for key in keys}

    after = {key: BoundedHash().choose(hosts[1:], asked(key=key)) for key in keys}

    assert all(after[key] is host for key, host in before.items() if host is not hosts[0])


@given(WEIGHTS, st.integers(1, 200))
def test_one_key_alone_cannot_fill_a_host_beyond_its_bound(weights: list[int], count: int) -> None:
    hosts, algorithm = made(weights), BoundedHash(1.25)
    for _ in range(count):
        algorithm.choose(hosts, asked(key=b"hot")).running += 1

    for host, weight in zip(hosts, weights, strict=True):
        assert host.running <= 1.25 * count * weight / sum(weights) + 2


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from("sfcud")), max_size=120),
)
def test_nobody_unfit_is_chosen_and_ejections_keep_to_their_cap(
    count: int, events: list[tuple[int, str]]
) -> None:
    hosts = group(count)
    now = 0.0
    for index, event in events:
        now += 0.5
        host = list(hosts.hosts)[index % count]
        if event in "sf":
            served(hosts, host, now=now, failed=event == "f")
        elif event == "c":
            hosts.checked(host.id, None, now)
        else:
            hosts.checked(host.id, "away", now, certain=event == "d")
        choice = hosts.pick(asked(now, seed=index))
        assert choice is not None
        assert choice.host.fit or choice.panic or choice.probe
        assert choice.panic == hosts.panic
        ejected = [each for each in hosts.hosts if each.state(now) is State.EJECTED]
        assert len(ejected) <= hosts.rules.most_ejected(count)


@pytest.mark.parametrize("algorithm", ["round-robin", "weighted", "least-requests", "p2c-ewma"])
def test_a_new_host_warms_up(algorithm: str) -> None:
    hosts = group(1, algorithm, Rules(warm_up=10.0))
    hosts.put(Instance("http://new:1"), 10.0)
    new = hosts["http://new:1"]

    def loaded(now: float) -> float:
        copy, draw = hosts.imagined(), Random(3).random
        for each in copy.hosts:
            each.latency.observe(0.01, now)
        count = 0
        for _ in range(200):
            host = copy.pick(Asked(now, draw)).host
            host.running += 1
            count += host.id == new.id
        return count / 200

    assert new.state(10.0) is State.WARMING
    assert loaded(10.0) < 0.15
    assert 0.4 < loaded(20.0) < 0.6


def test_hosts_that_come_together_have_their_full_share_at_once() -> None:
    hosts = group(2, rules=Rules(warm_up=10.0))
    hosts.put(Instance("http://soon:1"), 9.0)
    hosts.put(Instance("http://late:1"), 10.0)

    assert [each.warmth(10.0) for each in hosts.hosts] == [1.0, 1.0, 1.0, 0.1]


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_host_is_not_chosen_beside_ones_that_fail_while_there_are_good_ones(
    seed: int,
) -> None:
    hosts = group(6)
    for host, took, failed in zip(
        hosts.hosts,
        [0.01, 0.01, 0.01, 0.1, 0.001, 0.001],
        [False, False, False, False, True, True],
        strict=True,
    ):
        served(hosts, host, now=1.0, took=took, failed=failed)
    draw = Random(seed).random

    chosen = {hosts.pick(Asked(1.0, draw)).host.id for _ in range(200)}

    assert chosen == {f"http://h{number}:1" for number in range(3)}


def test_hosts_that_are_dearer_but_not_far_dearer_take_part() -> None:
    hosts = group(4)
    for host, took in zip(hosts.hosts, [0.01, 0.01, 0.03, 0.03], strict=True):
        served(hosts, host, now=1.0, took=took)
    draw = Random(1).random

    chosen = Counter(hosts.pick(Asked(1.0, draw)).host.id for _ in range(1_000))

    # Both of those that were drawn are dear in one of six cases.
    assert 120 < chosen["http://h2:1"] + chosen["http://h3:1"] < 220


def test_retries_go_nowhere_when_all_hosts_were_tried() -> None:
    hosts = group(2)
    ids = [each.id for each in hosts.hosts]

    assert hosts.pick(asked(), tried=ids[:1]).host.id == ids[1]
    assert hosts.pick(asked(), tried=ids) is None


@pytest.mark.parametrize(
    ("wrong", "value"), [("failures_in_a_row", 0), ("panic_below", 1.5), ("memory", 0.0)]
)
def test_wrong_numbers_are_named(wrong: str, value: Any) -> None:
    with pytest.raises(ValueError, match=wrong):
        Rules(**{wrong: value})
