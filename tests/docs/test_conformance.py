import re

import pytest
from tests.docs.pages import DOCS, ROOT

PAGE = (DOCS / "reference" / "conformance.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.endswith("| Behaviour | Here |")
]


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_tests_that_are_named_exist(file: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")

    there = set(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))

    assert {name for named, name in NAMED if named == file} <= there


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_line_names_a_test_or_says_why_there_is_none(row: str) -> None:
    assert "::test_" in row or "Not here: " in row
