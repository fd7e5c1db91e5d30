"""Lists of instances are kept, refreshed ahead, and never waited for."""

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from uat_service.resolver import DnsSource, Instance, RefreshedResolver, StaticResolver

ONE, TWO = Instance("http://10.0.0.1:80"), Instance("http://10.0.0.2:80")
CURRENT: ContextVar[str] = ContextVar("current", default="none")


class Source:
    """A source that says what it is told to say."""

    def __init__(self, *answers: list[Instance] | Exception, takes: float = 0.0) -> None:
        self._answers = list(answers)
        self.takes = takes
        self.looks = 0
        self.contexts: list[str] = []

    def says(self, *answers: list[Instance] | Exception) -> None:
        self._answers = list(answers)

    async def look_up(self, name: str) -> list[Instance]:
        self.looks += 1
        self.contexts.append(CURRENT.get())
        await pause(self.takes)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time


async def test_the_first_request_waits_for_a_look_and_others_share_it() -> None:
    source = Source([ONE], takes=1.0)
    resolver = RefreshedResolver(source)

    found = await asyncio.gather(*(resolver.find("shop") for _ in range(10)))

    assert found == [[ONE]] * 10
    assert source.looks == 1


async def test_a_request_never_waits_for_a_refresh() -> None:
    source = Source([ONE])
    resolver, loop = RefreshedResolver(source, interval=5.0), asyncio.get_running_loop()
    await resolver.find("shop")
    source.takes = 1.5
    await pause(6)

    began = loop.time()
    found = await resolver.find("shop")

    assert (found, loop.time() - began, source.looks) == ([ONE], 0.0, 2)


async def test_what_changes_is_known_one_interval_later_without_being_asked_for() -> None:
    source = Source([ONE], [ONE, TWO])
    resolver = RefreshedResolver(source, interval=5.0)
    await resolver.find("shop")

    await pause(5.1)

    assert resolver.resolve("shop") == [ONE, TWO]


async def test_the_last_good_list_stays_while_the_source_is_away() -> None:
    source = Source([ONE], OSError("away"))
    resolver = RefreshedResolver(source, interval=5.0, idle=1e6)
    await resolver.find("shop")

    await pause(3600)

    assert resolver.resolve("shop") == [ONE]
    assert resolver.age("shop") == pytest.approx(3600)


async def test_a_source_that_hangs_is_given_up_and_asked_again() -> None:
    source = Source([ONE])
    resolver = RefreshedResolver(source, interval=5.0, timeout=2.0)
    await resolver.find("shop")
    source.takes = 1e6
    await pause(8)
    source.takes = 0
    source.says([TWO])

    await pause(3)

    assert resolver.resolve("shop") == [TWO]


async def test_a_source_that_is_back_is_heard_within_an_interval() -> None:
    source = Source([ONE], OSError("away"))
    resolver = RefreshedResolver(source, interval=5.0)
    await resolver.find("shop")
    await pause(100)
    source.says([TWO])

    await pause(5.1)

    assert resolver.resolve("shop") == [TWO]


async def test_a_registry_that_is_suddenly_empty_is_not_believed_at_once() -> None:
    source = Source([ONE], [])
    resolver = RefreshedResolver(source, interval=5.0, grace=15.0)
    await resolver.find("shop")

    await pause(12)
    early = resolver.resolve("shop")
    await pause(12)
    late = resolver.resolve("shop")

    assert (early, late) == ([ONE], [])


async def test_a_name_that_nobody_asks_for_is_forgotten() -> None:
    source = Source([ONE])
    resolver = RefreshedResolver(source, interval=5.0, idle=60.0)
    await resolver.find("shop")
    await pause(100)
    looks = source.looks

    await pause(1000)

    assert source.looks == looks
    assert resolver.age("shop") is None


async def test_a_look_is_no_part_of_the_request_that_asked_first() -> None:
    source = Source([ONE])
    resolver = RefreshedResolver(source)
    CURRENT.set("a request")

    await resolver.find("shop")

    assert source.contexts == ["none"]


async def test_a_request_that_is_cancelled_leaves_the_look_to_the_others() -> None:
    source = Source([ONE], takes=1.0)
    resolver = RefreshedResolver(source)
    first = asyncio.create_task(resolver.find("shop"))
    other = asyncio.create_task(resolver.find("shop"))
    await pause(0.5)

    first.cancel()

    assert await other == [ONE]
    assert first.cancelled()


async def test_nothing_is_looked_up_after_the_end() -> None:
    source = Source([ONE])
    resolver = RefreshedResolver(source, interval=5.0)
    await resolver.find("shop")

    await resolver.close()
    await pause(100)

    assert source.looks == 1


async def test_the_end_does_not_wait_for_a_look() -> None:
    resolver = RefreshedResolver(Source([ONE], takes=1e6), timeout=1e5)
    resolver.resolve("shop")
    await pause(1)

    await resolver.close()

    assert resolver.resolve("shop") == []


async def test_services_of_a_table_are_found() -> None:
    resolver = StaticResolver({"shop": ["http://10.0.0.1:80", "http://10.0.0.2:80"]})

    assert resolver.resolve("shop") == [ONE, TWO]
    assert await resolver.find("other") == []


def test_services_are_read_from_the_environment() -> None:
    variables = {
        "UAT_SERVICES__ORDER_DESK__URL": "http://10.0.0.1:80, http://10.0.0.2:80",
        "UAT_SERVICES__SHOP__URL": "",
        "PATH": "/bin",
    }

    resolver = StaticResolver.from_environment(variables)

    assert resolver.resolve("order-desk") == [ONE, TWO]
    assert resolver.resolve("shop") == []


@pytest.mark.parametrize(
    "url", ["", "shop:80", "ftp://shop", "http://shop/path", "http://", "http://shop\n"]
)
def test_what_is_no_url_of_an_instance_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url must be like"):
        Instance(url)


def test_a_weight_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="weight must be a whole number of at least 1"):
        Instance("http://shop", weight=0)


def test_what_cannot_look_up_is_no_source() -> None:
    source: Any = StaticResolver({})

    with pytest.raises(TypeError, match=r"source must have look_up\(\)"):
        RefreshedResolver(source)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"pattern": "shop"}, "pattern must have"),
        ({"scheme": "ftp"}, "scheme must be"),
        ({"port": 0}, "port must be"),
    ],
)
def test_a_source_in_dns_checks_what_it_is_given(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DnsSource(**arguments)
