"""Prometheus's own tool, which knows what Prometheus accepts."""

import subprocess
from pathlib import Path
from shutil import which

from tests.lacking import lacking

__all__ = ["MONITORING", "promtool"]

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


def promtool(*arguments: str | Path, given: str = "") -> tuple[int, str]:
    """Run it; return its exit code, and all it said."""
    tool = which("promtool")
    if tool is None:
        lacking("promtool", "prometheus")
    ended = subprocess.run(  # noqa: S603 - the arguments are our own
        [tool, *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr
