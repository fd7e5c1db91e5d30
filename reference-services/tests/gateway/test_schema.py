"""What the schema says of the gateway's own routes is true, whatever they are asked (schemathesis)."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROUTES = """
[upstreams.echo]
urls = ["{url}"]
[[routes]]
name = "echo"
path = "/echo"
upstream = "echo"
auth = "none"
"""


@pytest.mark.timeout(120)
def test_no_server_error_no_lie_and_no_ignored_auth(
    start: Any, platform: Any, tmp_path: Path
) -> None:
    with start(ROUTES.format(url=platform.echo_url)) as gateway:
        ended = subprocess.run(  # noqa: S603 - our own tool
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{gateway.served.url}/schema/openapi.json",
                "--header=Authorization: Bearer let-me-in",
                "--checks=all",
                # A schema cannot say which texts are TOML; and Litestar's answer to OPTIONS names the methods of
                # the first handler of a path only.
                "--exclude-checks=positive_data_acceptance,allow_header_conformance",
                "--max-examples=10",
                "--seed=1",
                "--phases=examples,coverage,fuzzing",
                "--generation-database=none",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    assert ended.returncode == 0, ended.stdout[-6000:]
