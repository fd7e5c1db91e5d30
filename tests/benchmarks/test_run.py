"""A run from the command line to its report. No time is asserted: machines differ."""

import json
from pathlib import Path

import pytest
from benchmarks.__main__ import main
from benchmarks.contenders import OURS, World, load
from benchmarks.figures import Figure, Rejection
from benchmarks.importing import PACKAGE
from benchmarks.measure import Plan
from benchmarks.page import PAGE, page, printed
from benchmarks.report import Machine, Report
from benchmarks.rows import ROWS
from benchmarks.targets import TARGETS


def test_quick_run_measures_ours_and_reports_who_is_not_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    _, missing = load()

    status = main(
        ["--quick", "--rounds", "1", "--only", "breaker,bulkhead,threads", "--json", str(results)]
    )

    found = json.loads(results.read_text(encoding="utf-8"))
    ours = [(each["row"], each["world"]) for each in found["figures"] if each["contender"] == OURS]
    assert status == 0
    assert ours == [(row, world) for row in ("breaker", "bulkhead") for world in World]
    assert all(each["over"] == each["best"] - each["bare"] for each in found["figures"])
    assert {each["contender"] for each in found["figures"]} > {OURS, "asyncio.Semaphore"}
    assert [each["faults"] for each in found["contention"]] == [[]] * len(found["contention"])
    assert found["missing"] == missing
    assert len(found["targets"]) == len(TARGETS)
    assert found["plan"]["rounds"] == 1
    shown = capsys.readouterr().out
    assert "### Breaker closed, consecutive failures" in shown
    assert all(f"Not installed: {each}" in shown for each in missing)


def test_import_of_ours_brings_no_asyncio_along(tmp_path: Path) -> None:
    results = tmp_path / "results.json"

    main(["--quick", "--only", "imports", "--json", str(results)])

    found = json.loads(results.read_text(encoding="utf-8"))
    assert {each["statement"]: each["asyncio"] for each in found["imports"]}[PACKAGE] is False
    assert found["figures"] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only", "retry,speed"], "no such key: speed; known: retry, breaker,"),
        (["--only", ","], "no such key: none given; known: retry,"),
        (["--rounds", "0"], "must be a whole number of at least 1, not 0"),
        (["--docs", "--quick"], "--docs needs a whole run: leave out --only and --quick"),
        (["--docs", "--only", "retry"], "--docs needs a whole run: leave out --only and --quick"),
    ],
)
def test_mistakes_on_the_command_line_are_named(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert complaint in capsys.readouterr().err


def test_tables_give_the_cheapest_first_with_its_ratio_to_ours() -> None:
    text = printed(made_up())

    assert (
        "| breaker closed, consecutive failures | async | 400 | circuitbreaker | 1 000 | 0.400 | ≤ 0.70 | yes |"
        in text
    )
    assert text.index("| **uat_resilience** | 200 | 1.00 | 400 | 1.00 |") < text.index(
        "| circuitbreaker | - | - | 1 000 | 2.50 |"
    )
    assert "| breaker closed, consecutive failures | sync | circuitbreaker | waits |" in text


def test_page_says_how_it_was_measured() -> None:
    text = page(made_up())

    assert "The best of 7 rounds counts" in text
    assert "a median round took 10% longer" in text
    assert "The bare call took 50 ns (sync) and 100 ns (async)." in text
    assert "CPython 3.11.7, Linux on x86_64, 2 processors" in text


def test_faults_are_ours_only() -> None:
    theirs = made_up()
    rejection = Rejection("retry", World.SYNC, OURS, "does not end")
    ours = Report(theirs.machine, theirs.plan, ROWS, [], [], rejections=[rejection])

    assert theirs.faults == []
    assert ours.faults == ["retry (sync): does not end"]


def test_page_in_the_documentation_is_of_these_rows_and_targets() -> None:
    text = PAGE.read_text(encoding="utf-8")

    headings = {line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")}
    assert headings == {row.title[0].upper() + row.title[1:] for row in ROWS}
    assert text.count("| ≤ ") == len(TARGETS)
    assert "not measured" not in text


def made_up() -> Report:
    figures = [
        Figure("breaker", World.SYNC, OURS, best=250.0, middle=275.0, bare=50.0),
        Figure("breaker", World.ASYNC, OURS, best=500.0, middle=550.0, bare=100.0),
        Figure("breaker", World.ASYNC, "circuitbreaker", best=1100.0, middle=1210.0, bare=100.0),
    ]
    return Report(
        machine=Machine("CPython 3.11.7", "Linux", "x86_64", 2),
        plan=Plan(rounds=7),
        rows=ROWS,
        contenders=[],
        missing=[],
        figures=figures,
        rejections=[Rejection("breaker", World.SYNC, "circuitbreaker", "waits")],
    )
