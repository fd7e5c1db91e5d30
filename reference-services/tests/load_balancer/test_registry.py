"""Leases by themselves, on time that the test tells."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Kind, Registry, RegistryFullError
from uat_service.resolver import Instance


def one(service: str = "shop", host: str = "a", id_: str = "", **more: Any) -> Registration:
    return Registration(service, Instance(f"http://{host}:1", id=id_), **{"lease": 10.0, **more})


def test_a_lease_that_is_not_renewed_ends() -> None:
    registry = Registry()
    registry.register(one(), 0.0)
    registry.renew("shop", "http://a:1", 6.0)

    assert registry.expire(15.9) == []
    assert [each.kind for each in registry.expire(16.0)] == [Kind.EXPIRED]
    assert not registry.services
    assert registry.renew("shop", "http://a:1", 16.0) is None


def test_one_without_a_lease_stays() -> None:
    registry = Registry()
    registry.register(one(lease=None), 0.0)

    assert registry.expire(1e9) == []
    assert registry.left("shop", "http://a:1", 1e9) is None


def test_an_address_belongs_to_who_registered_it_last() -> None:
    registry = Registry()
    registry.register(one("old", id_="1"), 0.0)
    registry.register(one("old", id_="2"), 0.0)

    changes = registry.register(one("new"), 1.0)

    assert [(each.kind, each.registration.service) for each in changes] == [
        (Kind.REPLACED, "old"),
        (Kind.REPLACED, "old"),
        (Kind.REGISTERED, "new"),
    ]
    assert list(registry.services) == ["new"]


def test_an_instance_that_moves_gives_its_old_address_back() -> None:
    registry = Registry()
    registry.register(one(host="a", id_="1"), 0.0)
    changes = registry.register(one(host="b", id_="1"), 0.0)
    other = registry.register(one("other", host="a"), 0.0)

    assert [each.kind for each in changes] == [Kind.CHANGED]
    assert [each.kind for each in other] == [Kind.REGISTERED]
    assert [each.instance.url for each in registry.instances("shop")] == ["http://b:1"]


def test_a_stale_one_is_fresh_once_it_is_heard_of() -> None:
    registry = Registry()
    registry.register(one(stale=True), 0.0, lasts=60.0)
    assert registry.left("shop", "http://a:1", 0.0) == 60.0

    changes = registry.register(one(), 1.0)

    assert [each.kind for each in changes] == [Kind.HEARD]
    assert registry.left("shop", "http://a:1", 1.0) == 10.0


def test_a_full_registry_renews_and_takes_nobody_in() -> None:
    registry = Registry(most=1)
    registry.register(one(), 0.0)

    assert registry.register(one(), 1.0) == []
    with pytest.raises(RegistryFullError):
        registry.register(one(host="b"), 1.0)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from("rrrdnt"),
        st.sampled_from(["shop", "bank"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([1.0, 5.0, 20.0]),
    ),
    max_size=60,
)


@given(EVENTS)
def test_the_registry_is_what_a_plain_table_would_be(
    events: list[tuple[str, str, str, float]],
) -> None:
    registry, table, now = Registry(), dict[tuple[str, str], tuple[Registration, float]](), 0.0
    for event, service, host, lease in events:
        now += 1.0
        registry.expire(now)
        table = {key: each for key, each in table.items() if each[1] > now}
        new = one(service, host, lease=lease)
        key = service, new.instance.id
        if event == "r":
            registry.register(new, now)
            table = {
                k: each
                for k, each in table.items()
                if each[0].instance.url != new.instance.url or k[0] == service
            }
            table[key] = new, now + lease
        elif event == "d":
            registry.remove(*key)
            table.pop(key, None)
        elif event == "n":
            known = registry.renew(*key, now) is not None
            assert known == (key in table)
            if known:
                table[key] = table[key][0], now + (table[key][0].lease or 0.0)
        there = {
            (name, each.instance.id): each
            for name in registry.services
            for each in registry.instances(name)
        }
        assert there == {k: each for k, (each, _) in table.items()}
        assert len(registry) == len(table)
        for k, (_, until) in table.items():
            assert registry.left(*k, now) == pytest.approx(until - now)
    assert len(registry._ends) <= 2 * len(events) + 1


def test_leases_that_come_and_go_leave_nothing_behind() -> None:
    registry = Registry()
    for turn in range(1000):
        registry.register(replace(one(), lease=5.0), turn * 0.001)
        registry.remove("shop", "http://a:1")
    registry.expire(10.0)

    assert not registry._ends
    assert not registry._queued
    assert not registry._until
    assert not registry._owners
