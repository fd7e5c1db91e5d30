import re
from pathlib import Path

import pytest
from tests.docs.pages import links

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_readme_begins_with_the_two_commands() -> None:
    commands = [line for line in README.splitlines() if not line.startswith("```")][:2]

    assert [command.split("#")[0].strip() for command in commands] == ["make up", "make test"]


def test_python_in_the_readme_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    printed = re.findall(r"^```output\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

    exec("\n".join(blocks), {})  # noqa: S102 - it is our own README, and running it is the test

    assert blocks
    assert capsys.readouterr().out == "".join(printed)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/dependencies.md"])
def test_every_make_command_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    named = set(re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )?([a-z][a-z-]*)", text, re.MULTILINE))

    assert named
    assert named <= set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_every_file_that_is_linked_exists(page: str) -> None:
    linked = [target for target, _ in links(ROOT / page)]

    assert [target for target in linked if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_every_pattern_of_the_table_leads_to_its_page(page: str) -> None:
    """The table stands on two pages, each of which says in its last lines where its links lead."""
    named = set(re.findall(r"\]\[([\w-]+)\]", README))
    led = set(
        re.findall(r"^\[([\w-]+)\]: ", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert len(named) > 10
    assert led == named
