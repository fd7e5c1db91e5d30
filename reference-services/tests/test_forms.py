"""No refusal of any service quotes a regular expression at its client."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from four_services import services

from uat_platform.gateway.routes import RoutesError, read_table
from uat_service.forms import in_words


def patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        told: Mapping[str, Any] = schema
        if isinstance(told.get("pattern"), str):
            yield told["pattern"]
        schema = list(told.values())
    if isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


def test_each_form_has_words(tmp_path: Path) -> None:
    found = {
        pattern
        for _, service in services(tmp_path)
        for pattern in patterns(service.litestar.openapi_schema.to_schema())
    }

    said = {pattern: in_words(f"Expected `str` matching regex {pattern!r}") for pattern in found}

    assert found
    assert [pattern for pattern, words in said.items() if not words.startswith("must be ")] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[upstreams.A_B]", "1 to 63 small letters"),
        ('[[routes]]\nname = "é"', "1 to 63 small letters"),
        ('[[routes]]\nheaders = { "x y" = "z" }', "letters, digits and hyphens"),
        ('[[routes]]\nscopes = ["a b"]', "one word"),
    ],
)
def test_a_routes_file_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(RoutesError, match=words) as refused:
        read_table(text)

    assert not any("pattern" in each for each in refused.value.problems)
