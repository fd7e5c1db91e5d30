"""Every numbered script runs, and prints what is written down in `golden/`.

Where an output is meant to change: `python examples/NAME.py > tests/examples/golden/NAME.txt`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
SCRIPTS = sorted((ROOT / "examples").glob("[0-9]*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_prints_what_is_written_down(script: Path) -> None:
    expected = (GOLDEN / f"{script.stem}.txt").read_text(encoding="utf-8")

    ended = subprocess.run(  # noqa: S603 (the scripts are our own)
        [sys.executable, script],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=30,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.stdout == expected
    assert ended.returncode == 0


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_is_short_enough_to_read_at_once(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) < 60


def test_no_example_and_no_written_output_is_left_over() -> None:
    assert [path.stem for path in SCRIPTS] == sorted(path.stem for path in GOLDEN.glob("*.txt"))
