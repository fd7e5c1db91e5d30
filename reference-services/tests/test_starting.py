"""What a service that is told something wrong says, and what it finds wherever it is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uat_platform.gateway.settings import GatewaySettings
from uat_service.serve.command import CANNOT_START


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("auth", "mysql://root:secret@db/x"),
        ("load_balancer", "postgresql:secret"),
        ("metrics_aggregator", "postgresql://root:secret@db:5432x/x"),
    ],
)
def test_a_database_that_is_none_stops_the_start_with_the_name_and_the_rule(
    service: str, url: str, tmp_path: Path
) -> None:
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "uat_service.serve", f"uat_platform.{service}.app:service"],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == CANNOT_START
    assert "DATABASE_URL: it must be like sqlite:///path or postgresql://" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr + ended.stdout


def test_the_gateway_finds_its_routes_from_wherever_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    settings = GatewaySettings.read("api-gateway", {})

    assert Path(settings.routes_file).is_file()
