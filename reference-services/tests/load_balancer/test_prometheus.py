"""Debian's Prometheus finds its targets here, and promtool has nothing to say about the metrics."""

import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.lacking import lacking

SETTINGS = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: platform
    http_sd_configs: [{{url: "{url}/sd/prometheus", refresh_interval: 1s}}]
"""


@contextmanager
def _prometheus(directory: Path, balancer: str) -> Generator[str]:
    program = shutil.which("prometheus") or lacking("prometheus", "prometheus")
    (directory / "prometheus.yml").write_text(SETTINGS.format(url=balancer), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [
        program,
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address={address}",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - found above
        try:
            yield f"http://{address}"
        finally:
            process.terminate()


def _targets(url: str) -> list[dict[str, Any]]:
    """Ask until Prometheus is up and has asked the load balancer."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        for _ in range(200_000):
            try:
                answer = client.get("/api/v1/targets")
            except httpx.TransportError:
                continue
            targets = answer.json()["data"]["activeTargets"] if answer.is_success else []
            if {each["labels"]["job"] for each in targets} >= {"scraped", "down"}:
                return targets
    raise AssertionError("no targets")


def test_prometheus_discovers_targets(balancer: Any, hosts: Any, tmp_path: Path) -> None:
    fit, down = hosts(2)
    down.health = 503
    balancer.register("scraped", fit.url, id="one", version="7", metrics_path="/deep/metrics")
    balancer.register("scraped", fit.url, id="same-address", metrics_path="/deep/metrics")
    balancer.register("down", down.url)
    balancer.register("unmeasured", "http://127.0.0.1:9", metrics_path="")

    with _prometheus(tmp_path, str(balancer.client.base_url)) as url:
        targets = _targets(url)

    found = {each["labels"]["job"]: each for each in targets}
    assert "unmeasured" not in found
    assert [each["labels"]["job"] for each in targets].count("scraped") == 1
    assert found["scraped"]["scrapeUrl"] == f"{fit.url}/deep/metrics"
    assert found["scraped"]["labels"]["service"] == "scraped"
    assert found["down"]["scrapeUrl"] == f"{down.url}/metrics"
    assert found["scraped"]["discoveredLabels"]["__meta_uat_stale"] == "false"


def test_targets_are_a_whole_list_also_when_there_are_none(balancer: Any) -> None:
    answer = balancer.client.get("/sd/prometheus", params={"service": "nobody"})

    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/json"


def test_promtool_finds_the_metrics_well_made(balancer: Any, hosts: Any) -> None:
    program = shutil.which("promtool") or lacking("promtool", "prometheus")
    (host,) = hosts(1)
    balancer.register("measured", host.url)
    balancer.client.get("/proxy/measured/")

    text = balancer.client.get("/metrics", headers={"Accept": "text/plain"}).content
    check = subprocess.run(  # noqa: S603 - found above
        [program, "check", "metrics"], input=text, capture_output=True, check=False
    )

    assert check.returncode == 0, check.stderr
    assert check.stderr + check.stdout == b""
