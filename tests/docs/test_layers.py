import re
import tomllib

from tests.docs.pages import DOCS, ROOT, blocks

PAGE = DOCS / "understand" / "how-it-works.md"


def _drawn() -> list[set[str]]:
    """Return the layers of the picture, top to bottom: what stands before the first wide gap of each line."""
    picture = next(block for block in blocks(PAGE) if block.kind == "text")
    names = [re.split(r" {2,}", line)[0] for line in picture.code.splitlines()]
    return [set(name.split(" | ")) for name in names]


def _kept() -> list[set[str]]:
    """Return the layers that import-linter keeps apart, top to bottom."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    return [set(re.findall(r"\w+", layer)) for layer in layers["layers"]]


def _listed() -> list[set[str]]:
    """Return the layers of the table for contributors, top to bottom."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = page.split("| layer, top to bottom |")[1].split("\n\n")[0].splitlines()[2:]
    return [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in rows]


def test_picture_of_the_layers_is_the_contract_that_is_kept() -> None:
    assert _drawn() == _kept()


def test_table_of_the_layers_is_the_contract_that_is_kept() -> None:
    assert _listed() == _kept()
