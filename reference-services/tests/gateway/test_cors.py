"""Pages of origins that are named may ask the gateway, and no others."""

from collections.abc import Generator
from typing import Any

import pytest

from uat_service.settings import ConfigurationError

ROUTES = """
[limits.tight]
rate = 0.001
burst = 1
[upstreams.echo]
urls = ["{url}"]
[[routes]]
name = "open"
path = "/open"
upstream = "echo"
auth = "none"
[[routes]]
name = "tight"
path = "/tight"
upstream = "echo"
auth = "none"
limit = "tight"
"""
SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def named(start: Any, platform: Any) -> Generator[Any]:
    with start(ROUTES.format(url=platform.echo_url), CORS_ORIGINS=f"{SHOP},http://a") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def open_(start: Any, platform: Any) -> Generator[Any]:
    with start(ROUTES.format(url=platform.echo_url), CORS_ORIGINS="*") as gateway:
        yield gateway


def preflight(gateway: Any, origin: str) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, x-mine",
    }
    return gateway.ask("OPTIONS", "/open", headers=headers)


def words(answer: Any) -> dict[str, str]:
    return {
        name.removeprefix("access-control-"): value
        for name, value in answer.headers.items()
        if name.startswith("access-control-")
    }


def test_a_named_origin_is_let_in_with_its_cookies(named: Any) -> None:
    asked, answer = preflight(named, SHOP), named.get("/open", Origin=SHOP)

    assert asked.status_code == 204
    assert words(asked)["allow-methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert words(asked)["allow-headers"] == "authorization, x-mine"
    for each in (asked, answer):
        assert words(each)["allow-origin"] == SHOP
        assert words(each)["allow-credentials"] == "true"
        assert each.headers["vary"] == "origin"
    assert "RateLimit" in words(answer)["expose-headers"]


def test_any_other_origin_is_not(named: Any) -> None:
    asked, answer = preflight(named, "https://other.example"), named.get("/open", Origin="null")

    assert (asked.status_code, answer.status_code) == (204, 200)
    assert words(asked) == words(answer) == {}
    assert named.get("/open").headers["vary"] == "origin"


def test_all_origins_are_let_in_without_cookies(open_: Any) -> None:
    asked, answer = preflight(open_, SHOP), open_.get("/open", Origin=SHOP)

    assert words(asked)["allow-origin"] == words(answer)["allow-origin"] == "*"
    assert "allow-credentials" not in words(asked) | words(answer)
    assert words(open_.get("/open")) == {}


def test_a_page_learns_why_it_is_refused(named: Any) -> None:
    first = named.get("/tight", Origin=SHOP)
    second = named.get("/tight", Origin=SHOP)

    assert (first.status_code, second.status_code) == (200, 429)
    assert words(second)["allow-origin"] == SHOP
    assert second.headers["content-type"] == "application/problem+json"
    assert int(second.headers["retry-after"]) > 0
    assert words(named.get("/nowhere", Origin=SHOP))["allow-origin"] == SHOP


def test_without_the_setting_it_is_left_to_the_services(platform: Any) -> None:
    answer = platform.gateway.get("/open", Origin=SHOP)

    assert words(answer) == {}
    assert "vary" not in answer.headers


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "*.example", ""])
def test_what_is_no_origin_is_said_at_the_start(start: Any, origin: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="CORS_ORIGINS"),
        start("", CORS_ORIGINS=f"http://a,{origin}"),
    ):
        pass
