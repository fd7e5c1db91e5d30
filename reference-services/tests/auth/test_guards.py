"""Each route that the schema calls protected is: nobody gets in without a token that is good for it."""

from typing import Any

import httpx2
import pytest

from uat_platform.auth.parts import Parts
from uat_platform.auth.wiring import serving


@pytest.fixture
def protected(parts: Parts) -> list[tuple[str, str]]:
    """Methods and paths that the schema says a token is needed for."""
    paths = serving(parts).litestar.openapi_schema.to_schema()["paths"]
    return [
        (
            method,
            path.replace("{session_id}", "x").replace("{user_id}", "x").replace("{client_id}", "x"),
        )
        for path, operations in paths.items()
        for method, operation in operations.items()
        if {"bearer": []} in operation.get("security", [])
    ]


async def test_without_a_token_nobody_gets_in(
    client: httpx2.AsyncClient, protected: list[tuple[str, str]]
) -> None:
    assert len(protected) > 15

    statuses = {each: (await client.request(*each)).status_code for each in protected}

    assert set(statuses.values()) == {401}, statuses


async def test_what_is_for_administrators_is_for_them(
    client: httpx2.AsyncClient, protected: list[tuple[str, str]], ann: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Bearer {ann['token']}"}
    theirs = [each for each in protected if each[1].startswith("/admin/")]

    statuses = {each: (await client.request(*each, headers=headers)).status_code for each in theirs}

    assert len(theirs) == 8
    assert set(statuses.values()) == {403}, statuses
