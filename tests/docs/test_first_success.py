"""The first use of the library on a page about an integration is short enough to be typed in."""

from pathlib import Path

import pytest
from tests.docs.pages import DOCS, blocks, page_id

INTEGRATIONS = [
    DOCS / "how-to" / f"{name}.md"
    for name in (
        "http-clients",
        "servers",
        "litestar",
        "share-limits-with-redis",
        "monitoring",
        "opentelemetry",
        "pytest-plugin",
    )
]
LINES = 15


@pytest.mark.parametrize("page", INTEGRATIONS, ids=page_id)
def test_first_use_has_fewer_than_fifteen_lines_of_code(page: Path) -> None:
    first = next(
        block
        for block in blocks(page)
        if block.kind == "python" and "import" in block.code and "uat_resilience" in block.code
    )

    assert len([line for line in first.code.splitlines() if line.strip()]) < LINES
