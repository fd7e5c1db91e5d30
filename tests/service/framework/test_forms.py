"""Refusals say in words what a body must be."""

from typing import Annotated

import httpx2
import msgspec
import pytest
from litestar import post
from litestar.params import JSONBody

from uat_service.app import Service
from uat_service.forms import form, in_words

pytestmark = pytest.mark.usefixtures("_silent")

CODE = form(r"^[a-z]{3}\d$", "three small letters and a digit")


class Order(msgspec.Struct):
    code: Annotated[str, msgspec.Meta(pattern=CODE)]
    others: list[Annotated[str, msgspec.Meta(pattern="^x+$")]] = []


@post("/orders")
async def place(data: JSONBody[Order]) -> None: ...


async def posted(body: bytes) -> httpx2.Response:
    transport = httpx2.ASGITransport(Service("orders", routes=[place]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://orders") as client:
        return await client.post(
            "/orders", content=body, headers={"content-type": "application/json"}
        )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"code": "tea1\\n"}', "must be three small letters and a digit"),
        (b'{"code": "tea"}', "must be three small letters and a digit"),
        (b'{"code": "tea1", "others": ["y"]}', "must have another form"),
        (b'{"code": 1}', "Expected `str`, got `int`"),
        (b"", "there is no body"),
    ],
)
async def test_what_is_wrong_is_said_in_words(body: bytes, message: str) -> None:
    reply = await posted(body)

    assert reply.status_code == 400
    assert [each["message"] for each in reply.json()["errors"]] == [message]


async def test_a_body_that_is_nested_too_deeply_is_a_mistake_of_the_client() -> None:
    reply = await posted(b"[" * 100_000)

    assert reply.status_code == 400
    assert reply.json()["detail"] == "JSON is nested too deeply"


@pytest.mark.parametrize("expression", ["[a-z]+", "^[a-z]+", "[a-z]+$"])
def test_a_form_is_of_a_whole_text(expression: str) -> None:
    with pytest.raises(ValueError, match="must begin with"):
        form(expression, "letters")


def test_a_form_is_known_by_what_pydantic_says_too() -> None:
    assert (
        in_words(f"String should match pattern '{CODE}'")
        == "must be three small letters and a digit"
    )
    assert in_words("anything else") == "anything else"
