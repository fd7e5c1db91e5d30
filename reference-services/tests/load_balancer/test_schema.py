"""The schema tells the truth, whatever schemathesis comes up with."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_schemathesis_finds_no_lie_and_no_crash(balancer: Any, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "schemathesis"), "run"]
    options = [
        f"{balancer.client.base_url}/schema/openapi.json",
        "--exclude-path=/watch",  # Its answer has no end.
        "--max-examples=15",
        "--seed=1",
        "--no-color",
        "--phases=examples,coverage,fuzzing",
        "--checks=all",
        "--generation-database=none",
    ]

    ran = subprocess.run(  # noqa: S603 - installed beside this Python
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout[-4_000:] + ran.stderr[-1_000:]
