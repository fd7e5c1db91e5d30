import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def test_every_dependency_has_its_reason_written_down() -> None:
    groups = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]

    asked = {name_of(item) for group in groups for item in group if isinstance(item, str)}

    assert {name for name in asked if f"`{name}" not in PAGE} == {"uat-resilience"}


def test_every_extra_has_its_row() -> None:
    extras = set(PROJECT["project"]["optional-dependencies"])

    assert {extra for extra in extras if f"| `{extra}` |" not in PAGE} == set()


def test_pins_name_no_place_to_download_from() -> None:
    pins = sorted((ROOT / "constraints").glob("*.txt"))

    assert pins
    assert [pin.name for pin in pins if "://" in pin.read_text(encoding="utf-8")] == []


def name_of(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return match[0].lower()
