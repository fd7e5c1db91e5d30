"""A restart below `uat`: from the old process to the first answered query."""

import asyncio
import json
import os
import resource
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from metrics_aggregator.metrics_support.day import DAY, keep_a_day
from metrics_aggregator.metrics_support.served import client, parts
from tests.service.stack.running import PATIENCE, Running

from uat_resilience.clock import wall_time

IMPORTS = "import uat_service.serve.__main__, uat_service.store"


def imports_take() -> float:
    """Return the processor time of an interpreter that only imports what such a service needs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, timeout=PATIENCE)  # noqa: S603 - ours
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def taken_by(pid: int) -> float:
    """Return the processor time that a process has taken since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asked(port: int, query: str, at: float) -> list[object]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/api/v1/query?query={quote(query)}&time={at}")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    result: list[object] = answer["data"]["result"]
    return result


async def a_day(directory: Path, now: int) -> None:
    made = parts(directory)
    async with client(made):
        await keep_a_day(made, now)


def test_first_query_after_a_restart_with_a_day_of_data_takes_less_than_imports_do(
    tmp_path: Path,
) -> None:
    now = int(wall_time() * 1000)
    asyncio.run(a_day(tmp_path, now))
    (tmp_path / "stack.toml").write_text(
        f"""
        [services.metrics]
        app = "uat_platform.metrics_aggregator.app:service"
        port = 0
        env.LOAD_BALANCER_URL = "none"
        env.DATABASE_URL = "sqlite:///{tmp_path / "metrics.db"}"
        """,
        encoding="utf-8",
    )
    stack = Running(tmp_path)
    try:
        stack.state("metrics", "running")
        restarted = stack.ask("restart", "metrics").stdout
        row = stack.rows()["metrics"]

        answer = asked(row["port"], "sum(busy)", (now - DAY // 2) / 1000)

        took = taken_by(row["pid"])
        assert restarted == "metrics: running\n"
        assert answer != []
        assert took < imports_take()
        assert stack.stop() == 0
    finally:
        stack.close()
