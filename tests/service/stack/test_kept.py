"""What was written is kept, and so many lines of it are shown."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from uat_service.cli import main


@pytest.fixture(autouse=True)
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    logs = tmp_path / ".uat" / "logs"
    logs.mkdir(parents=True)
    (logs / "api.log").write_text("one\ntwo\nthree\n")


def shown(*options: str) -> Result:
    return CliRunner().invoke(main, ["logs", "api", *options])


@pytest.mark.parametrize(
    ("lines", "output"),
    [("0", ""), ("1", "api | three\n"), ("9", "api | one\napi | two\napi | three\n")],
)
def test_the_last_lines_are_shown(lines: str, output: str) -> None:
    answer = shown("-n", lines)

    assert (answer.exit_code, answer.output) == (0, output)


def test_fewer_than_none_are_refused() -> None:
    assert shown("-n", "-1").exit_code == 2


@pytest.mark.parametrize(("name", "told"), [("apy", "did you mean `api`?"), ("x", "there is api")])
def test_logs_of_nobody_are_refused_with_those_there_are(name: str, told: str) -> None:
    answer = CliRunner().invoke(main, ["logs", name])

    assert (answer.exit_code, answer.stderr) == (
        2,
        f"error: there are no logs of `{name}` ({told})\n",
    )
