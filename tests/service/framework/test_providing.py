"""What a service gives to its handlers and guards, and what its schema says of them."""

from typing import Any

import pytest
from litestar import get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import SecurityScheme
from litestar.testing import AsyncTestClient

from uat_service.app import Service
from uat_service.problems import problem_responses

pytestmark = pytest.mark.usefixtures("_loggers", "capfd")


def known_only(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    if connection.headers.get("x-name") not in connection.app.state.people:
        raise NotAuthorizedException


def asked_for(path: str) -> str:
    return path.upper()


@get("/hello", guards=[known_only], security=[{"name": []}], responses=problem_responses(401))
async def hello(people: NamedDependency[list[str]], loud: NamedDependency[str]) -> str:
    return f"{loud} {people[0]}"


def service() -> Service:
    return Service(
        "people",
        routes=[hello],
        provide={
            "people": ["ann"],
            "loud": Provide(lambda: asked_for("hello"), sync_to_thread=False),
        },
        security={
            "name": SecurityScheme(type="apiKey", name="X-Name", security_scheme_in="header")
        },
    )


@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("version", 1, "version must be a string, not 1"),
        ("dependencies", ["redis"], "dependencies must each be a Dependency, not 'redis'"),
        ("settings", {}, "settings must be Settings, or None, not {}"),
    ],
)
def test_argument_of_a_wrong_type_is_named(argument: str, value: Any, rule: str) -> None:
    with pytest.raises(TypeError, match=rule):
        Service("people", **{argument: value})


async def test_handlers_and_guards_get_what_is_provided() -> None:
    async with AsyncTestClient(service().litestar) as client:
        let_in = await client.get("/hello", headers={"X-Name": "ann"})
        kept_out = await client.get("/hello", headers={"X-Name": "bob"})

    assert let_in.text == "HELLO ann"
    assert kept_out.status_code == 401


def test_the_schema_tells_of_problems_and_of_how_to_show_who_one_is() -> None:
    schema = service().litestar.openapi_schema.to_schema()

    answers = schema["paths"]["/hello"]["get"]["responses"]
    problem = {"$ref": "#/components/schemas/Problem"}
    described = {
        status: answer["content"]["application/problem+json"]["schema"]
        for status, answer in answers.items()
        if status != "200"
    }
    assert described == dict.fromkeys(["400", "401", "500", "503", "504"], problem)
    assert list(schema["components"]["securitySchemes"]) == ["name"]
