"""Operators see and change routes while requests run; who is none sees nothing."""

import json
from typing import Any

import pytest
from gateway.stand_ins import Echo
from tests.integrations.server.serving import serving

FIRST = """
[upstreams.echo]
urls = ["{url}"]
[[routes]]
name = "one"
path = "/one"
upstream = "echo"
auth = "none"
"""
SECOND = FIRST.replace('"/one"', '"/two"').replace('"one"', '"two"')


@pytest.fixture
def gateway(start: Any, platform: Any) -> Any:
    with start(FIRST.format(url=platform.echo_url)) as gateway:
        gateway.first = FIRST.format(url=platform.echo_url)
        gateway.second = SECOND.format(url=platform.echo_url)
        yield gateway


ADMIN_ROUTES = [
    ("GET", "/admin/routes"),
    ("PUT", "/admin/routes"),
    ("GET", "/admin/upstreams"),
    ("GET", "/admin/explain?path=/one"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_who_is_no_operator_sees_and_changes_nothing(platform: Any, method: str, path: str) -> None:
    nobody = platform.gateway.ask(method, path)
    user = platform.gateway.ask(method, path, user="ann")

    assert (nobody.status_code, user.status_code) == (401, 401)
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    assert nobody.headers["Content-Type"].startswith("application/problem+json")


def test_without_a_token_nobody_is_an_operator(start: Any, platform: Any) -> None:
    with start(FIRST.format(url=platform.echo_url), ADMIN_TOKEN="") as gateway:
        for method, path in ADMIN_ROUTES:
            assert (
                gateway.ask(method, path, headers={"Authorization": "Bearer none"}).status_code
                == 403
            )


def test_new_routes_hold_from_one_moment_and_are_kept(gateway: Any) -> None:
    answer = gateway.admin("PUT", "/admin/routes", gateway.second)

    assert answer.json() == {
        "applied": True,
        "version": 2,
        "digest": answer.headers["ETag"].strip('"'),
        "added": ["route two"],
        "removed": ["route one"],
        "changed": [],
    }
    assert gateway.get("/one").status_code == 404
    assert gateway.get("/two").status_code == 200
    told = gateway.admin("GET", "/admin/routes").json()
    assert (told["version"], told["put"], told["toml"]) == (2, True, gateway.second)
    assert gateway.file.read_text() == gateway.first


def test_the_configured_routes_are_put_back_by_putting_them(gateway: Any) -> None:
    gateway.admin("PUT", "/admin/routes", gateway.second)

    gateway.admin("PUT", "/admin/routes", gateway.first)

    told = gateway.admin("GET", "/admin/routes").json()
    assert (told["version"], told["put"]) == (3, False)
    assert gateway.get("/one").status_code == 200


def test_a_dry_run_says_what_would_change_and_changes_nothing(gateway: Any) -> None:
    answer = gateway.admin("PUT", "/admin/routes?dry_run=true", gateway.second).json()

    assert (answer["applied"], answer["version"], answer["added"]) == (False, 1, ["route two"])
    assert gateway.get("/one").status_code == 200
    assert gateway.file.read_text() != gateway.second


def test_wrong_routes_change_nothing_and_say_what_is_wrong(gateway: Any) -> None:
    answer = gateway.admin("PUT", "/admin/routes", gateway.second.replace('"/two"', '"two"'))

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        "routes.0.path: must begin with a slash and not end with one"
    ]
    assert gateway.get("/one").status_code == 200


def test_routes_that_somebody_else_has_replaced_are_not_overwritten(gateway: Any) -> None:
    before = gateway.admin("GET", "/admin/routes").headers["ETag"]
    first = gateway.admin("PUT", "/admin/routes", gateway.second, **{"If-Match": before})
    again = gateway.admin("PUT", "/admin/routes", gateway.second + "#", **{"If-Match": before})
    dry = gateway.admin(
        "PUT", "/admin/routes?dry_run=true", gateway.second, **{"If-Match": '"odd"'}
    )

    assert [first.status_code, again.status_code, dry.status_code] == [200, 412, 412]


def test_routes_that_cannot_be_kept_are_a_conflict(gateway: Any) -> None:
    gateway.file.unlink()

    answer = gateway.admin("PUT", "/admin/routes", gateway.second)

    assert answer.status_code == 409
    assert gateway.get("/one").status_code == 200


def eventually(gateway: Any, path: str, status: int) -> bool:
    return any(gateway.get(path).status_code == status for _ in range(20_000))


def test_a_file_that_is_edited_holds_by_itself_unless_it_is_wrong(gateway: Any) -> None:
    gateway.file.write_text("[[routes]]")
    for _ in range(20_000):
        told = gateway.admin("GET", "/admin/routes").json()
        if told["problems"]:
            break
    assert told["problems"]
    assert gateway.get("/one").status_code == 200

    gateway.file.write_text(gateway.second)

    assert eventually(gateway, "/two", 200)
    assert gateway.admin("GET", "/admin/routes").json()["problems"] == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            "path=/open/a%252Fb?x=1",
            {"outcome": "route", "route": "open", "upstream_path": "/a%2Fb"},
        ),
        ("path=/read-only&method=put", {"outcome": "method-not-allowed"}),
        ("path=/nowhere", {"outcome": "not-found"}),
        ("path=/admin/routes", {"outcome": "own"}),
        ("path=/open/../x", {"outcome": "refused"}),
        ("path=/writers", {"auth": "required", "scopes": ["write", "publish"]}),
        ("path=/hurried", {"deadline": 5.0}),
    ],
)
def test_operators_are_told_what_becomes_of_a_request(
    platform: Any, asked: str, told: dict[str, Any]
) -> None:
    answer = platform.gateway.admin("GET", f"/admin/explain?{asked}")

    assert answer.status_code == 200
    assert told.items() <= answer.json().items()


def test_operators_see_instances_breakers_and_slots(platform: Any) -> None:
    platform.gateway.get("/open")

    shown = platform.gateway.admin("GET", "/admin/upstreams").json()

    assert [each["name"] for each in shown] == ["echo"]
    assert shown[0]["instances"][0]["url"] == platform.echo_url
    assert shown[0]["instances"][0]["breaker"] == "closed"
    assert (shown[0]["running"], shown[0]["slots"]) == (0, 100)


def test_health_names_the_state_of_each_service(platform: Any) -> None:
    told = platform.gateway.get("/health").json()

    assert told["services"] == {"echo": "healthy"}
    assert (told["status"], told["service"]) == ("healthy", "api-gateway")


def test_health_is_asked_anew_when_somebody_wants_it(start: Any) -> None:
    echo = Echo()
    with (
        serving(echo) as served,
        start(FIRST.format(url=served.url), HEALTH_INTERVAL="1h") as gateway,
    ):
        assert health(gateway, "healthy")
        echo.status["/health/ready"] = 503

        answer = gateway.ask("POST", "/health/refresh")

        assert answer.json()["message"] == "Health checks triggered"
        assert health(gateway, "unhealthy")
        assert gateway.get("/health").status_code == 200
        assert gateway.get("/health").json()["status"] == "degraded"


def health(gateway: Any, state: str) -> bool:
    return any(gateway.get("/health").json()["services"] == {"echo": state} for _ in range(20_000))


def test_policies_of_upstreams_are_shown_and_go_with_them(gateway: Any) -> None:
    gateway.get("/one")
    shown = gateway.get("/resilience").json()
    gateway.admin("PUT", "/admin/routes", "# none")
    gone = gateway.get("/resilience").json()

    assert {"echo/retry", "echo/bulkhead", "echo/sockets"} <= shown["policies"].keys()
    assert len(shown["circuit_breakers"]) == 1
    assert shown["resilience_metrics"]["successful_requests"] == 1
    assert gone["policies"] == {}


def test_requests_that_reached_the_gateway_itself_are_answered_as_they_were(platform: Any) -> None:
    answer = platform.gateway.get("/api/test")

    assert json.loads(answer.text) == {
        "message": "API Gateway is working",
        "path": "/api/test",
        "method": "GET",
    }
    assert platform.gateway.get("/api-test").status_code == 200
