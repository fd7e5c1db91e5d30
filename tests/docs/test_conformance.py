import re

import pytest
from tests.docs.pages import DOCS, ROOT

PAGES = [DOCS / "reference" / name for name in ("conformance.md", "service-conformance.md")]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))
ROWS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.endswith("| Behaviour | Here |")
]


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_tests_that_are_named_exist(file: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")

    there = set(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))

    assert {name for named, name in NAMED if named == file} <= there


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.split("|")[1:3]).strip())
def test_every_line_names_a_test_or_says_why_there_is_none(row: str) -> None:
    assert "::test_" in row or "Not here: " in row
