"""Debian's Prometheus, with the walk as its only target."""

import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx
from tests.lacking import lacking

_CONFIGURATION = """
global: {{scrape_interval: 25ms, scrape_timeout: 25ms}}
scrape_configs:
  - job_name: {job}
    metrics_path: {path}
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""
PATIENCE = 20.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def prometheus(
    directory: Path, *, target: int, path: str, job: str, seen: Event
) -> Generator[httpx.Client]:
    """Start it, wait until it has seen all, and return a client for it."""
    program = shutil.which("prometheus")
    if program is None:
        lacking("prometheus", "prometheus")
    configuration = directory / "prometheus.yml"
    configuration.write_text(_CONFIGURATION.format(job=job, path=path, port=target))
    address = f"127.0.0.1:{free_port()}"
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603 - Debian's
            [
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            assert seen.wait(PATIENCE), (directory / "log").read_text()
            with httpx.Client(base_url=f"http://{address}", timeout=PATIENCE) as client:
                yield client
        finally:
            process.kill()
