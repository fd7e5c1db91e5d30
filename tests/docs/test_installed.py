"""A page says how to install what its code imports: whoever follows it begins with nothing but Python."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, page_id

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# They need the library that is left, which is named at their top, and what they are compared with is on the page.
ELSEWHERE = {"reference", "migrate"}
WITH_CODE = [
    page
    for page in PAGES
    if page.relative_to(DOCS).parts[0] not in ELSEWHERE
    and any(block.kind in {"python", "py"} for block in blocks(page))
]


def plain(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(requirement: str) -> Iterator[str]:
    """Return the distributions that a requirement brings, those of our extras included."""
    name, _, rest = re.split("[<>=;]", requirement.strip("'\""))[0].partition("[")
    yield plain(name)
    if plain(name) == "uat-resilience":
        yield "anyio"
        for extra in rest.strip("]").split(","):
            for each in EXTRAS.get(extra, []):
                yield from asked_for(each)


def installed(page: Path) -> set[str]:
    """Return what the commands of a page install."""
    lines = re.findall(r"pip install ([^`\n#]+)", page.read_text(encoding="utf-8"))
    return {name for line in lines for each in line.split() for name in asked_for(each)}


def imported(page: Path) -> set[str]:
    """Return the packages of others that the code of a page imports."""
    own = {Path(block.title).stem for block in blocks(page) if block.title is not None}
    names: set[str] = set()
    for block in blocks(page):
        if block.kind == "python":
            for node in ast.walk(ast.parse(block.code)):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add(str(node.module).partition(".")[0])
    return names - own - sys.stdlib_module_names - {"uat_resilience", "uat_service"}


@pytest.fixture(scope="module")
def homes() -> Mapping[str, list[str]]:
    """The distributions that each package may come from. Finding them takes a second."""
    return packages_distributions()


@pytest.mark.parametrize("page", WITH_CODE, ids=page_id)
def test_page_says_how_to_install_what_it_imports(
    page: Path, homes: Mapping[str, list[str]]
) -> None:
    there = installed(page)
    missing = [name for name in imported(page) if not there & {plain(home) for home in homes[name]}]

    assert missing == []
