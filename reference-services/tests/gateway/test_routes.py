"""Routes are found by path, host, headers and method; a file that cannot be right says where it is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uat_platform.gateway.routes import Found, Matcher, Missed, RoutesError, read_table
from uat_platform.gateway.routes.paths import after, canonical
from uat_service.proxy import RefusedRequestError

UPSTREAM = '[upstreams.u]\nurls = ["http://127.0.0.1:1"]\n'


def route(name: str, rules: str) -> str:
    return f'[[routes]]\nname = "{name}"\nupstream = "u"\n{rules}\n'


def matched(table: str, path: str, method: str = "GET", **headers: str) -> Found | Missed:
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return Matcher(read_table(UPSTREAM + table)).match(scope)


def name(found: Found | Missed) -> str | None:
    return found.route.name if isinstance(found, Found) else None


NESTED = (
    route("all", 'path = "/"')
    + route("api", 'path = "/api"')
    + route("deep", 'path = "/api/a/b"')
    + route("post", 'path = "/api/a"\nmethods = ["POST"]')
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", "all"),
        ("/apis", "all"),
        ("/api", "api"),
        ("/api/", "api"),
        ("/api/a", "api"),
        ("/api/a/b", "deep"),
        ("/api/a/b/c", "deep"),
        ("/api/a/bc", "api"),
        ("/api/a%2Fb", "api"),
        ("/%61pi/x", "api"),
        ("//api", "all"),
    ],
)
def test_the_longest_path_wins_by_whole_segments(path: str, found: str) -> None:
    assert name(matched(NESTED, path)) == found


def test_a_route_for_another_method_leaves_the_request_to_shorter_paths() -> None:
    assert name(matched(NESTED, "/api/a", "POST")) == "post"
    assert matched(route("one", 'path = "/a"\nmethods = ["GET"]'), "/a", "PUT") == Missed(
        ("GET", "HEAD")
    )


HOSTS = (
    route("any", 'path = "/"')
    + route("wild", 'path = "/"\nhosts = ["*.example.org"]')
    + route("exact", 'path = "/"\nhosts = ["www.example.org", "[::1]"]')
)


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("www.example.org", "exact"),
        ("WWW.Example.org:8080", "exact"),
        ("[::1]:8080", "exact"),
        ("[::1]", "exact"),
        ("api.example.org", "wild"),
        ("example.org", "any"),
        ("badexample.org", "any"),
    ],
)
def test_an_exact_host_goes_before_any_below_one_and_that_before_none(
    host: str, found: str
) -> None:
    if host.startswith("["):
        table = HOSTS.replace(', "[::1]"', "")
        assert name(matched(table, "/", host=host)) == "any"
    else:
        assert name(matched(HOSTS.replace(', "[::1]"', ""), "/", host=host)) == found


def test_headers_must_be_as_the_route_has_them() -> None:
    table = route("beta", 'path = "/a"\nheaders = { X-Beta = "1" }') + route("a", 'path = "/a"')

    assert name(matched(table, "/a", **{"x-beta": "1"})) == "beta"
    assert name(matched(table, "/a", **{"x-beta": "2"})) == "a"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("nonsense", "no TOML"),
        (route("a", 'path = "a"'), "must begin with a slash"),
        (route("a", 'path = "/a/"'), "not end with one"),
        (route("a", 'path = "/a/../b"'), "`..` segment"),
        (route("a", 'path = "/a%2F"'), "plain path"),
        (route("a", 'path = "/admin/x"'), "one of the gateway itself"),
        (route("a", 'path = "/health"'), "one of the gateway itself"),
        (route("a", 'path = "/a"\nlimit = "odd"'), "there is no limit odd"),
        (route("a", 'path = "/a"\nscopes = ["x"]\nauth = "none"'), "scopes need auth"),
        (route("a", 'path = "/a"\nmethods = ["FETCH"]'), "must be one of"),
        (route("a", 'path = "/a"\nhosts = ["a:80"]'), "without a port"),
        (route("a", 'path = "/a"\ndeadline = "soon"'), "must be a duration"),
        (route("a", 'path = "/a"\nodd = 1'), "routes.0.odd"),
        (route("a", 'path = "/a"') + route("a", 'path = "/b"'), "route a is there 2 times"),
        (route("a", 'path = "/a"') + route("b", 'path = "/a"'), "same rules as another"),
        ('[[routes]]\nname = "a"\npath = "/"\nupstream = "odd"', "there is no upstream odd"),
        ('[upstreams.x]\nurls = ["127.0.0.1:80"]', "must be like http://host:port"),
        ('[upstreams.x]\nurls = ["http://a:80\\n"]', "must be like http://host:port"),
        ('[upstreams."x\\n"]', "must be 1 to 63 small letters"),
    ],
)
def test_a_file_that_cannot_be_right_says_where_it_is_not(broken: str, told: str) -> None:
    with pytest.raises(RoutesError) as raised:
        read_table(UPSTREAM + broken)

    assert told in str(raised.value)


def test_a_file_without_an_end_is_not_read() -> None:
    with pytest.raises(RoutesError, match="at most"):
        read_table("#" * 2_000_000)


segments = st.lists(
    st.text("ab%/.", min_size=1, max_size=4).map(
        lambda text: text.replace("%", "%25").replace("/", "%2F")
    ),
    max_size=5,
)


@given(segments, st.integers(0, 5))
def test_what_follows_some_segments_and_those_are_the_whole_path(
    parts: list[str], number: int
) -> None:
    raw = "".join(f"/{part}" for part in parts).encode()
    number = min(number, len(parts))

    rest = after(raw, number)

    assert raw.endswith(rest)
    assert raw[: len(raw) - len(rest)].count(b"/") == number


@given(st.binary(max_size=30))
def test_a_path_has_one_canonical_form(raw: bytes) -> None:
    try:
        once = canonical(b"/" + raw)
    except RefusedRequestError:
        return

    assert not {b".", b".."} & set(once.split(b"/"))
