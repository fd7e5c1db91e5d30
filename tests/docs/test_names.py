"""Names of ours that the documentation mentions, in its text and in fragments that are not run, are there."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, page_id, prose

import uat_resilience

TEXTS = [*PAGES, ROOT / "README.md"]
PUBLIC = {name: getattr(uat_resilience, name) for name in uat_resilience.__all__}

each_text = pytest.mark.parametrize("page", TEXTS, ids=page_id)


def mentioned(page: Path) -> list[str]:
    """Return what a page has between backticks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def there(path: str) -> bool:
    """Tell whether a dotted path leads to something, through modules and then attributes."""
    first, *rest = path.split(".")
    found: object = import_module(first)
    for name in rest:
        if inspect.ismodule(found) and not hasattr(found, name):
            try:
                import_module(f"{found.__name__}.{name}")
            except ImportError:
                return False
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


@each_text
def test_path_into_our_packages_leads_somewhere(page: Path) -> None:
    paths = [
        match[1]
        for code in mentioned(page)
        if (match := re.fullmatch(r"(uat_(?:resilience|service)(?:\.\w+)+)(?:\(.*\))?", code))
    ]

    assert [path for path in paths if not there(path)] == []


def calls(page: Path) -> Iterator[ast.Call]:
    """Return the calls of public names that a page mentions."""
    for code in mentioned(page):
        try:
            tree = ast.parse(code.lstrip("@"), mode="eval")
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                yield node


def called(call: ast.Call) -> object:
    """Return what is called, if it is public: `Retry(...)` or `Pipeline.standard(...)`."""
    if isinstance(call.func, ast.Name):
        return PUBLIC.get(call.func.id)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return getattr(PUBLIC.get(call.func.value.id), call.func.attr, None)
    return None


# These pages say what other libraries call it, too.
@pytest.mark.parametrize(
    "page", [page for page in TEXTS if page.parent.name != "migrate"], ids=page_id
)
def test_argument_of_a_public_name_is_one_that_it_has(page: Path) -> None:
    wrong = [
        f"{ast.unparse(call)}: {keyword.arg}"
        for call in calls(page)
        for keyword in call.keywords
        if callable(ours := called(call))
        and keyword.arg not in {None, *inspect.signature(ours).parameters}
    ]

    assert wrong == []


@each_text
def test_attribute_of_a_public_name_is_one_that_it_has(page: Path) -> None:
    pairs = [
        (match[1], match[2])
        for code in mentioned(page)
        if (match := re.fullmatch(r"(\w+)\.(\w+)(?:\(.*\))?", code)) and match[1] in PUBLIC
    ]

    assert [(name, part) for name, part in pairs if not hasattr(PUBLIC[name], part)] == []


@each_text
def test_import_in_a_fragment_is_possible(page: Path) -> None:
    imported = [
        f"{node.module}.{alias.name}"
        for block in blocks(page)
        if block.kind == "py"
        for node in ast.walk(ast.parse(block.code))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("uat_")
        for alias in node.names
    ]

    assert [path for path in imported if not there(path)] == []


def test_module_that_a_page_imports_from_is_in_the_reference() -> None:
    described = {
        name
        for page in (DOCS / "reference").glob("*.md")
        for name in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    imported = {module for page in TEXTS for module in imported_by(page) if "._" not in module}

    assert "uat_resilience.integrations.logging" in imported
    assert {each for each in imported if not (described & {each, each.rpartition(".")[0]})} == set()


def imported_by(page: Path) -> Iterator[str]:
    """Return the modules of ours that the code of a page takes names from."""
    for block in blocks(page):
        if block.kind not in {"python", "py"}:
            continue
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("uat_"):
                for alias in node.names:
                    path = f"{node.module}.{alias.name}"
                    found = import_module(str(node.module))
                    module = not hasattr(found, alias.name) or inspect.ismodule(
                        getattr(found, alias.name)
                    )
                    yield path if module else str(node.module)
