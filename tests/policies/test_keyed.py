import threading
from typing import Any

import pytest

from uat_resilience import (
    Bulkhead,
    CircuitBreaker,
    Keyed,
    KeyOverflowed,
    Pipeline,
    RateLimiter,
    Retry,
    captured,
)
from uat_resilience.testing import FakeClock


def test_each_key_has_a_policy_of_its_own_made_once() -> None:
    hosts = Keyed(CircuitBreaker)

    assert hosts["a"] is hosts["a"]
    assert hosts["a"] is not hosts["b"]
    assert hosts["b"].name == "b"
    assert len(hosts) == 2
    assert "a" in hosts
    assert "c" not in hosts
    assert set(hosts.snapshot()) == {"a", "b"}


def test_it_iterates_over_the_keys_it_keeps_and_makes_none() -> None:
    hosts = Keyed(CircuitBreaker)
    _ = hosts["a"], hosts["b"], hosts["a"]

    assert list(hosts) == ["b", "a"]
    assert len(hosts) == 2


def test_a_factory_that_returns_a_class_is_refused() -> None:
    tenants: Any = Keyed[str, Any](lambda _: Bulkhead)

    with pytest.raises(TypeError, match="factory must return a policy, not <class"):
        _ = tenants["a"]


def test_when_there_is_no_room_the_least_recently_used_goes() -> None:
    hosts = Keyed(CircuitBreaker, maximum=2)

    for key in "abac":
        _ = hosts[key]

    assert [key in hosts for key in "abc"] == [True, False, True]


def test_what_nobody_asked_for_goes_after_a_while(clock: FakeClock) -> None:
    hosts = Keyed(CircuitBreaker, idle=60.0)
    _ = hosts["a"], hosts["b"]
    clock.advance(30.0)
    _ = hosts["b"]

    clock.advance(30.0)
    _ = hosts["c"]

    assert [key in hosts for key in "abc"] == [False, True, True]


def test_an_open_breaker_is_never_dropped(clock: FakeClock) -> None:
    hosts = Keyed(CircuitBreaker, maximum=2, idle=1.0)
    hosts["open"].force_open()
    clock.advance(5.0)

    for key in "abc":
        _ = hosts[key]
        clock.advance(5.0)

    assert "open" in hosts
    assert len(hosts) == 2


@pytest.mark.parametrize("kind", ["bulkhead", "rate limiter", "pipeline"])
def test_what_has_calls_inside_is_never_dropped(kind: str) -> None:
    bulkhead, limiter = Bulkhead(1), RateLimiter(1e-6)
    policies: dict[str, Any] = {
        "bulkhead": bulkhead,
        "rate limiter": limiter,
        "pipeline": Pipeline(Retry(ConnectionError), bulkhead),
    }
    made = iter([policies[kind], CircuitBreaker("other"), CircuitBreaker("third")])
    keyed: Keyed[str, Any] = Keyed(lambda _: next(made), maximum=1)
    _ = keyed["busy"]

    with bulkhead.permit(), limiter.permit():
        _ = keyed["other"]
        assert "busy" in keyed

    limiter.renew()


def test_when_all_are_in_use_a_new_key_gets_one_that_is_not_kept() -> None:
    hosts = Keyed(CircuitBreaker, maximum=1, name="hosts")
    hosts["open"].force_open()

    with captured() as events:
        spare = hosts["new"]

    assert spare.call(int) == 0
    assert "new" not in hosts
    assert [
        (type(event), event.policy) for event in events if isinstance(event, KeyOverflowed)
    ] == [(KeyOverflowed, "hosts")]


def test_a_factory_may_ask_for_another_key() -> None:
    hosts: Keyed[str, CircuitBreaker] = Keyed(
        lambda key: CircuitBreaker(key) if key == "a" else CircuitBreaker(hosts["a"].name + key)
    )

    assert hosts["b"].name == "ab"


def test_threads_that_ask_at_the_same_moment_get_the_same_policy() -> None:
    barrier, got = threading.Barrier(8), []
    meet = threading.Barrier(8)

    def make(key: str) -> CircuitBreaker:
        meet.wait()
        return CircuitBreaker(key)

    hosts = Keyed(make)

    def ask() -> None:
        barrier.wait()
        got.append(hosts["a"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(policy) for policy in got}) == 1


def test_a_policy_of_ones_own_is_kept_like_any_other() -> None:
    class Own:
        name = "own"

        def call(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await fn(*args, **kwargs)

    keyed = Keyed(lambda _: Own(), maximum=1)
    _ = keyed["a"], keyed["b"]

    assert keyed.snapshot() == {"b": None}


def test_a_factory_that_makes_no_policy_is_told() -> None:
    with pytest.raises(TypeError, match="factory"):
        _ = Keyed(lambda _: 3)["a"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"factory": 3}, "factory must be a callable of the key, not 3"),
        (
            {"factory": CircuitBreaker("db")},
            "factory must be .*, not the policy 'db': it makes one",
        ),
        ({"factory": CircuitBreaker, "maximum": 0}, "maximum"),
        ({"factory": CircuitBreaker, "idle": 0.0}, "idle"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        Keyed(**arguments)
