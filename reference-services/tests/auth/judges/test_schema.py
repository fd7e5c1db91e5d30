"""The schema is held against the process: no crash, no answer that it does not tell of, no door that is open."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.service.framework.running import Running

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
ENDS_THE_SESSION = ("/auth/logout", "/admin/keys/rotate")


@pytest.mark.slow
@pytest.mark.timeout(120)  # whoever is first starts the process, too
def test_the_schema_is_true(running: Running, administrator: str, tmp_path: Path) -> None:
    excluded = [part for path in ENDS_THE_SESSION for part in ("--exclude-path", path)]
    done = subprocess.run(  # noqa: S603 - a program of our environment
        [
            str(SCHEMATHESIS),
            "--config-file",
            str(CONFIGURATION),
            "run",
            f"http://{running.address}/schema/openapi.json",
            "--header",
            f"Authorization: Bearer {administrator}",
            "--phases=fuzzing",
            "--max-examples=4",
            "--generation-deterministic",
            "--no-color",
            *excluded,
        ],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 28" in done.stdout
