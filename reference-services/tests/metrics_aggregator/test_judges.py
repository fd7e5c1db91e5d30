"""Programs of others that judge what the service says: promtool, and schemathesis."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.lacking import lacking
from tests.service.framework.running import started


def promtool(*arguments: str, given: str | None = None) -> str:
    program = shutil.which("promtool")
    if program is None:
        lacking("promtool", "prometheus")
    done = subprocess.run(  # noqa: S603 - Debian's
        [program, *arguments], input=given, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_finds_no_fault_in_our_metrics(showing: str) -> None:
    text = httpx.get(f"http://{showing}/metrics").text

    assert not promtool("check", "metrics", given=text)


@pytest.mark.parametrize("service", ["auth", "gateway"])
def test_promtool_finds_no_fault_in_the_metrics_of_those_that_are_scraped(
    service: str, tmp_path: Path
) -> None:
    (tmp_path / "gateway.toml").write_text("")
    with started(
        f"uat_platform.{service}.app:service",
        DATABASE_URL=f"sqlite:///{tmp_path / 'auth.db'}",
        ROUTES_FILE=str(tmp_path / "gateway.toml"),
        IDENTITY_FILE=str(tmp_path / "identity.pem"),
        LOAD_BALANCER_URL="",
    ) as running:
        with running.listening().client() as asking:
            asking.get("/nowhere")
            text = asking.get("/metrics", headers={"Accept": "text/plain"}).text
        running.stop()

    assert "http_server_request_duration_seconds_count{" in text
    assert not promtool("check", "metrics", given=text)


def test_promtool_asks_us_as_it_asks_prometheus(showing: str) -> None:
    base = f"http://{showing}"

    assert "=> 10 @" in promtool("query", "instant", base, "count(up)")
    assert '{job="auth"}' in promtool("query", "range", base, "sum by (job) (up)")
    assert '{__name__="up", instance=' in promtool("query", "series", "--match=up", base)
    assert "memory" in promtool("query", "labels", base, "job")


@pytest.mark.timeout(120)
def test_schemathesis_finds_no_crash_and_no_lie_of_the_schema(showing: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "schemathesis.cli",
            "run",
            f"http://{showing}/schema/openapi.json",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--exclude-path=/events",
            "--exclude-path=/api/v1/metrics/register",
            "--max-examples=4",
            "--seed=1",
            "--phases=examples,fuzzing",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
