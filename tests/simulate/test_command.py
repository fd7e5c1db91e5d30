import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulate.test_scenario import SMALL

from uat_resilience.simulate.__main__ import main


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


def test_scenario_is_printed_as_a_table(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([scenario])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "Small"
    assert [line.split()[0] for line in lines[-2:]] == ["bare", "standard"]


def test_full_report_has_a_summary_of_each_run(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([scenario, "--full"])

    assert capsys.readouterr().out.count("  calls made  ") == 2


def test_seed_on_the_command_line_wins(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for arguments in ([], ["--seed", "3"], ["--seed", "4"]):
        main([scenario, *arguments])
        printed.append(capsys.readouterr().out)

    assert printed[0] == printed[1] != printed[2]


def test_plot_is_written_where_it_is_asked_for(scenario: str, tmp_path: Path) -> None:
    code = main([scenario, "--plot", str(tmp_path / "small.svg")])

    assert code == 0
    assert (tmp_path / "small.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("arguments", [["--list"], []], ids=["list", "nothing"])
def test_shipped_scenarios_are_listed(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "brown-out        Brown-out and recovery",
        "retry-storm      Retry storm",
        "slow-dependency  Slow dependency",
        "thundering-herd  Thundering herd",
    ]


def test_bad_scenario_is_one_line_on_the_error_stream(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace("rate = 20.0", "rate = -20.0"), encoding="utf-8")

    code = main([str(path)])

    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert shown.err == (
        "error: workload.arrivals.rate must be a finite number above 0, not -20.0\n"
    )


def test_plot_that_cannot_be_written_is_an_error(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([scenario, "--plot", str(tmp_path / "nowhere" / "small.svg")])

    assert code == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_module_can_be_started(scenario: str) -> None:
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "uat_resilience.simulate", scenario],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.startswith("Small\n")
