"""The first use of an integration in the documentation is short enough to be typed in."""

import re

import pytest
from tests.docs.pages import PAGES, blocks

INTEGRATIONS = [
    "aiohttp",
    "asgi",
    "django",
    "httpx",
    "httpx2",
    "litestar",
    "logging",
    "opentelemetry",
    "prometheus",
    "redis",
    "requests",
    "structlog",
]
LINES = 15


@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_an_integration_is_used_in_fewer_than_fifteen_lines_of_code(integration: str) -> None:
    imported = re.compile(rf"integrations(?:\.| import ){integration}\b")

    lengths = [
        sum(bool(line.strip()) for line in block.code.splitlines())
        for page in PAGES
        for block in blocks(page)
        if block.kind == "python" and imported.search(block.code)
    ]

    assert min(lengths) < LINES


def test_the_pytest_plugin_is_used_in_fewer_than_fifteen_lines_of_code() -> None:
    page = next(page for page in PAGES if page.name == "pytest-plugin.md")

    first = next(block for block in blocks(page) if block.kind == "python")

    assert sum(bool(line.strip()) for line in first.code.splitlines()) < LINES
