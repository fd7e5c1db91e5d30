"""Where the stack is described when nobody says."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from uat_service.cli import main

ROOT = Path(__file__).parents[3]
STACK = '[services.{name}]\ncommand = "true"\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UAT_STACK_FILE", raising=False)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "stack.toml").write_text(STACK.format(name="deployed"))
    return tmp_path


def graph(*before: str) -> Result:
    return CliRunner().invoke(main, [*before, "graph"])


def test_the_project_names_the_file(place: Path) -> None:
    (place / "pyproject.toml").write_text('[tool.uat]\nstack = "deploy/stack.toml"')

    assert "deployed" in graph().output


def test_a_file_beside_it_and_a_file_that_is_given_go_first(place: Path) -> None:
    (place / "pyproject.toml").write_text('[tool.uat]\nstack = "nowhere.toml"')
    (place / "stack.toml").write_text(STACK.format(name="beside"))

    assert "beside" in graph().output
    assert "deployed" in graph("--stack", "deploy/stack.toml").output


@pytest.mark.parametrize("text", ["", "[tool.ruff]", "tool = 1", "[tool.uat]"])
def test_a_project_that_names_none_has_its_own(place: Path, text: str) -> None:
    (place / "pyproject.toml").write_text(text)

    answer = graph()

    assert answer.exit_code == 2
    assert "stack.toml: there is no such file" in answer.output


@pytest.mark.parametrize("text", ["[tool.uat]\nstack = 1", "[tool]\nuat = 1", "[[["])
def test_a_project_that_says_what_cannot_be_is_told(place: Path, text: str) -> None:
    (place / "pyproject.toml").write_text(text)

    answer = graph()

    assert answer.exit_code == 2
    assert answer.output.startswith("error: pyproject.toml: ")


def test_this_repository_starts_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("UAT_STACK_FILE", raising=False)

    assert "api-gateway" in graph().output
