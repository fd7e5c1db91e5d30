"""What a saved file restarts, and what it does not."""

from pathlib import Path

import pytest
from tests.service.stack.conftest import Run
from tests.service.stack.running import CHILD, Running, fetch, service


@pytest.fixture
def stack(run: Run, tmp_path: Path) -> Running:
    """Two services that run from copies of the child, and know a shared directory."""
    (tmp_path / "shared").mkdir()
    for name in ("front", "back"):
        (tmp_path / f"{name}.py").write_text(CHILD.read_text(encoding="utf-8"), encoding="utf-8")
    stack = run(
        '[stack]\nwatch = ["shared"]\n',
        *(
            service(name, script=tmp_path / f"{name}.py", watch=[f"{name}.py"])
            for name in ("front", "back")
        ),
        arguments=("--reload",),
    )
    stack.state("front", "running")
    stack.state("back", "running")
    stack.note("watching")
    return stack


def edited(file: Path, version: str) -> None:
    """Save a file as editors do: write another one, and rename it."""
    text = file.read_text(encoding="utf-8")
    unfinished = file.with_name(f"{file.name}~")
    unfinished.write_text(text.replace('VERSION = "1"', version), encoding="utf-8")
    unfinished.rename(file)


def test_an_edited_service_is_restarted_and_the_other_is_not(
    stack: Running, tmp_path: Path
) -> None:
    port, told = stack.port("back"), len(stack.told)

    edited(tmp_path / "back.py", 'VERSION = "2"')
    stack.note("saved back.py")
    stack.state("back", "running", after=told)
    answer = fetch(port)

    assert answer["version"] == "2"
    assert stack.rows()["front"]["restarts"] == 0


def test_a_syntax_error_keeps_the_old_process_and_is_shown_until_it_is_mended(
    stack: Running, tmp_path: Path
) -> None:
    port = stack.port("back")
    edited(tmp_path / "back.py", 'VERSION = = "1"')
    problem = stack.note("goes on as it was")
    answer = fetch(port)

    edited(tmp_path / "back.py", "")  # the mistake is still there
    (tmp_path / "back.py").write_text(CHILD.read_text(encoding="utf-8"), encoding="utf-8")

    stack.note("saved back.py")
    assert problem.startswith("reload: back.py:")
    assert "invalid syntax; back goes on as it was" in problem
    assert (answer["version"], answer["status"]) == ("1", 200)


def test_a_shared_file_restarts_all_that_it_concerns(stack: Running, tmp_path: Path) -> None:
    (tmp_path / "shared" / "library.py").write_text("", encoding="utf-8")

    assert stack.state("front", "draining")
    assert stack.state("back", "draining")


def test_files_that_are_saved_together_restart_a_service_once(
    stack: Running, tmp_path: Path
) -> None:
    for number in range(5):
        (tmp_path / "shared" / f"library_{number}.py").write_text("", encoding="utf-8")
    edited(tmp_path / "back.py", 'VERSION = "2"')
    draining = stack.told.index(stack.state("back", "draining"))
    stack.state("back", "running", after=draining)

    notes = [it["text"] for it in stack.told if "back: restarts" in it.get("text", "")]

    assert len(notes) == 1
    assert "back.py, library_0.py" in notes[0]
