"""Addresses are checked where they are told, and no error repeats one: there may be a password in it."""

import pytest

from uat_service.addresses import HIDDEN, http_origin, http_url, redis_addresses, without_password

SECRET = "hunter2"  # noqa: S105 - what must not be seen


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("10.0.0.7:7000", ("10.0.0.7", 7000)),
        ("redis", ("redis", 6379)),
        ("[::1]:7000", ("::1", 7000)),
        ("[::1]", ("::1", 6379)),
    ],
)
def test_an_address_of_a_redis_is_a_host_and_a_port(written: str, parts: tuple[str, int]) -> None:
    assert redis_addresses("address", written) == [parts]


def test_several_addresses_have_commas_between_and_sentinels_a_port_of_their_own() -> None:
    written = "a, [::1]:7000,c:1"

    assert redis_addresses("it", written) == [("a", 6379), ("::1", 7000), ("c", 1)]
    assert redis_addresses("it", written, sentinel="set") == [("a", 26379), ("::1", 7000), ("c", 1)]


@pytest.mark.parametrize(
    "written",
    [
        "",
        ":6379",
        "redis:",
        "redis:http",
        "redis:0",
        "redis:65536",
        "redis :6379",
        "redis:6379\n",
        "redis:6379/0",
        "::1",
        f"redis://:{SECRET}@redis:6379/0",
        f"user:{SECRET}@redis:6379",
        f"user:{SECRET}@redis",
        "redis:6379,",
        "redis,,redis",
        f"redis:6379,user:{SECRET}@redis",
    ],
)
def test_what_is_no_address_of_a_redis_is_refused_and_not_repeated(written: str) -> None:
    rule = r"^address must be written as host:port, or as several of these with commas between$"
    with pytest.raises(ValueError, match=rule) as refused:
        redis_addresses("address", written)

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("http://Shop", ("http", "shop", 80, "Shop")),
        ("https://shop/", ("https", "shop", 443, "shop")),
        ("http://[::1]:8000", ("http", "::1", 8000, "[::1]:8000")),
    ],
)
def test_an_origin_is_a_scheme_a_host_and_a_port(
    written: str, origin: tuple[str, str, int, str]
) -> None:
    assert http_origin("url", written) == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        "shop:80",
        "ftp://shop",
        "http://",
        "http://shop:http",
        "http://shop:0",
        "http://shop:65536",
        "http://shop\n",
        "http://sh op",
        "http://shop?a=b",
        "http://shop#a",
        f"http://user:{SECRET}@shop",
    ],
)
def test_what_is_no_url_is_refused_and_not_repeated(written: str) -> None:
    for check in (http_origin, http_url):
        with pytest.raises(ValueError, match="url must be like http://host:port") as refused:
            check("url", written)

        assert SECRET not in str(refused.value)


def test_a_url_may_have_a_path_and_an_origin_may_not() -> None:
    assert http_url("url", "http://shop/a/") == "http://shop/a/"

    with pytest.raises(ValueError, match="url must be like http://host:port, without a path"):
        http_origin("url", "http://shop/a")


def test_what_is_no_text_is_refused_by_its_type() -> None:
    for check in (http_origin, http_url, redis_addresses):
        with pytest.raises(TypeError, match=r"it must be .*host:port, not a bytes"):
            check("it", b"http://shop")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (f"amqp://orders:{SECRET}@mq/", f"amqp://{HIDDEN}@mq/"),
        (f"https://{SECRET}@mq/", f"https://{HIDDEN}@mq/"),
        (f"redis://:a@{SECRET}@mq", f"redis://{HIDDEN}@mq"),
        (f"['x://u:{SECRET}@a/', 'x://u:{SECRET}@b']", f"['x://{HIDDEN}@a/', 'x://{HIDDEN}@b']"),
        ("http://mq/who@where, and me@mq", "http://mq/who@where, and me@mq"),
    ],
)
def test_urls_are_shown_without_users_and_passwords(written: str, shown: str) -> None:
    assert without_password(written) == shown
