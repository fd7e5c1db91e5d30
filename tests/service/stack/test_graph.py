"""Who needs whom, and what is wrong with it."""

from collections.abc import Callable

import pytest

from uat_service.stack.definition import Service, Stack
from uat_service.stack.errors import StackError
from uat_service.stack.graph import check, dependants, drawn, levels, mermaid, selected


def stack(**needs: list[str]) -> Stack:
    """Return services that need each other as told; `name?` is optional."""
    return Stack(
        services={
            name: Service(
                name=name,
                command=("run",),
                needs=tuple(each for each in listed if not each.endswith("?")),
                optional_needs=tuple(each[:-1] for each in listed if each.endswith("?")),
            )
            for name, listed in needs.items()
        }
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (stack(a=["a"]), "services need each other in a circle: a → a"),
        (stack(a=["b"], b=["c"], c=["a"]), "services need each other in a circle: a → b → c → a"),
        (stack(z=["a"], a=["b"], b=["a?"]), "services need each other in a circle: a → b → a"),
        (
            stack(orders=["price"], prices=[]),
            "services.orders needs `price` (did you mean `prices`?), which is not in the stack",
        ),
        (stack(a=["x?"]), "services.a needs `x`, which is not in the stack"),
    ],
    ids=["itself", "three", "optional", "unknown", "unknown-optional"],
)
def test_what_is_wrong_is_named(wrong: Stack, problem: str) -> None:
    with pytest.raises(StackError) as caught:
        check(wrong)

    assert caught.value.problems == (problem,)


def test_two_services_cannot_have_one_port() -> None:
    one = Service(name="one", command=("run",), port=80)
    two = Service(name="two", command=("run",), port=80)

    with pytest.raises(StackError, match=r"services\.one and services\.two both have port 80"):
        check(Stack(services={"one": one, "two": two}))


def test_a_redis_may_be_needed_without_being_described() -> None:
    check(stack(a=["redis"], b=["redis?"]))


def test_services_start_level_by_level() -> None:
    services = stack(gateway=["auth", "chat?"], chat=["auth"], auth=[], cache=[]).services

    assert levels(services) == [["auth", "cache"], ["chat"], ["gateway"]]


def test_who_stands_on_a_service_is_stopped_before_it() -> None:
    services = stack(gateway=["auth", "chat?"], chat=["auth"], auth=[]).services

    assert dependants(services, "auth") == ["gateway", "chat"]
    assert dependants(services, "chat") == ["gateway"]
    assert dependants(services, "gateway") == []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], ["gateway", "chat", "auth", "cache"]),
        (["cache"], ["cache"]),
        (["gateway"], ["gateway", "auth"]),
        (["cache", "chat"], ["chat", "auth", "cache"]),
    ],
)
def test_what_is_named_brings_what_it_needs(names: list[str], found: list[str]) -> None:
    services = stack(gateway=["auth", "chat?"], chat=["auth"], auth=["redis"], cache=[]).services

    assert list(selected(services, names)) == found


def test_a_name_that_is_not_there_is_not_selected() -> None:
    with pytest.raises(StackError, match=r"there is no service `cat` \(did you mean `chat`\?\)"):
        selected(stack(chat=[]).services, ["cat"])


@pytest.mark.parametrize(
    ("drawing", "lines"),
    [
        (drawn, ["1  auth", "2  chat → auth", "3  gateway → auth, chat?"]),
        (
            mermaid,
            [
                "flowchart LR",
                "    gateway",
                "    gateway --> auth",
                "    gateway -.-> chat",
                "    chat",
                "    chat --> auth",
                "    auth",
            ],
        ),
    ],
)
def test_graph_is_drawn(drawing: Callable[[object], str], lines: list[str]) -> None:
    services = stack(gateway=["auth", "chat?"], chat=["auth"], auth=[]).services

    assert drawing(services).splitlines() == lines
