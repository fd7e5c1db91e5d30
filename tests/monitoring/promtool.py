"""Prometheus's own tool, which knows what Prometheus accepts."""

import os
import subprocess
from pathlib import Path
from shutil import which

import pytest

__all__ = ["MONITORING", "promtool"]

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


def promtool(*arguments: str | Path, given: str = "") -> tuple[int, str]:
    """Run it; return its exit code, and all it said."""
    tool = which("promtool")
    if tool is None:
        why = "no promtool: apt-get install --no-install-recommends prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    ended = subprocess.run(  # noqa: S603 - the arguments are our own
        [tool, *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr
