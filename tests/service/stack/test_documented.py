"""The reference of `uat` names all that there is."""

import re
from pathlib import Path

import pytest

from uat_service.cli import main
from uat_service.stack.definition import Service, Stack
from uat_service.stack.reading import read
from uat_service.stack.state import State

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "uat.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "how-to" / "run-a-stack.md").read_text(encoding="utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[str]:
    """Return what stands first in the rows of the tables below a heading."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (`.+?`) \|", part, re.MULTILINE)


def test_every_key_of_a_stack_is_described() -> None:
    keys = {*Stack.model_fields, *Service.model_fields} - {"services"}

    assert {key.strip("`") for key in rows("Keys")} == keys


def test_every_state_is_described() -> None:
    assert rows("States") == [f"`{state.value}`" for state in State]


def test_every_command_and_option_is_described() -> None:
    told = " ".join(rows("Commands"))
    options = {
        option
        for command in main.commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-")
    }

    assert {name for name in main.commands if f"`uat {name}" not in told} == set()
    assert {option for option in options if option not in told} == set()


@pytest.mark.parametrize("text", TOML)
def test_every_stack_of_the_guide_is_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_text(text, encoding="utf-8")

    assert read(tmp_path / "stack.toml", variables={}).stack.services
