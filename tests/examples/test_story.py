"""The story comes to its end, on the real platform, and leaves no process behind."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_story_comes_to_its_end_and_nothing_fails() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "examples.story"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=230,  # Its output ends when all of its processes have.
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    steps = [line for line in ended.stdout.splitlines() if line[:1].isdigit()]
    assert len(steps) == 7
    assert ended.stdout.count("0 failures") == 4
