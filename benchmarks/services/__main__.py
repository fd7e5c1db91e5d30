"""`python -m benchmarks.services`: reverse proxies side by side, then hello routes, each in one interleaved run.

Each proxy and the upstream are processes of their own. Bursts of all proxies take turns, in an order shuffled anew
each round; the best round counts, because disturbances only ever add. `CPU` is what the proxy itself takes of one
processor for a request: it says the same on a busy machine. nginx and HAProxy take part where they are
installed.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random

from benchmarks.services.hello import HELLOS
from benchmarks.services.load import Load, drained
from benchmarks.services.proxies import PROXIES

__all__ = ["main"]

_NGINX = """daemon off; worker_processes 1; pid {directory}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
upstream u {{ server 127.0.0.1:{upstream}; keepalive 128; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1;
proxy_buffering off; proxy_set_header Connection ""; }} }} }}
"""
_HAPROXY = """defaults
 mode http
 timeout connect 5s
 timeout client 30s
 timeout server 30s
frontend f
 bind 127.0.0.1:{port}
 default_backend b
backend b
 http-reuse always
 server s 127.0.0.1:{upstream}
"""


@contextmanager
def _python(*words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a module that prints its port first."""
    command = [sys.executable, "-m", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _foreign(
    command: Callable[[str], list[str]], settings: str, upstream: int
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a proxy that reads its settings from a file."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "settings")
        file.write_text(settings.format(port=port, upstream=upstream, directory=directory))
        process = subprocess.Popen(  # noqa: S603
            command(str(file)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        try:
            asyncio.run(_listening(port))
            yield port, process
        finally:
            process.terminate()
            process.wait()


async def _listening(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on {port}")


def _memory(process: subprocess.Popen[str]) -> float:
    """Return the most memory the process and its children ever had, in MB."""
    peaks: list[int] = []
    for pid in [str(process.pid), *_children(process.pid)]:
        status = Path("/proc", pid, "status").read_text()
        peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks) / 1024


def _spent(process: subprocess.Popen[str]) -> float:
    """Return the seconds of processor time the process and its children have taken."""
    ticks = 0
    for pid in [str(process.pid), *_children(process.pid)]:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def main(arguments: list[str]) -> int:
    """Make one run and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.services")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=2000, help="in each burst")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--megabytes", type=int, default=300, help="of the one long answer")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        upstream, _ = stack.enter_context(_python("benchmarks.services.upstream"))
        running = {
            name: stack.enter_context(
                _python("benchmarks.services.proxies", name, f"http://127.0.0.1:{upstream}")
            )
            for name in PROXIES
        }
        nginx, haproxy = shutil.which("nginx"), shutil.which("haproxy")
        if nginx is not None:
            running["nginx"] = stack.enter_context(
                _foreign(lambda file: [nginx, "-c", file], _NGINX, upstream)
            )
        if haproxy is not None:
            running["HAProxy"] = stack.enter_context(
                _foreign(lambda file: [haproxy, "-f", file], _HAPROXY, upstream)
            )
        _proxies(running, options)
    with ExitStack() as stack:
        names = {name: _python("benchmarks.services.hello", name) for name in HELLOS}
        _hellos({name: stack.enter_context(each) for name, each in names.items()}, options)
    return 0


Running = dict[str, tuple[int, "subprocess.Popen[str]"]]


@dataclass(slots=True)
class Best:
    """What one of them reached in its best burst.

    Attributes:
        rate: Requests per second.
        times: Seconds of each request of that burst, sorted.
        cost: Seconds of processor time for a request, in the burst that took least.
    """

    rate: float = 0.0
    times: list[float] = field(default_factory=list[float])
    cost: float = inf


def _measured(running: Running, options: argparse.Namespace) -> dict[str, Best]:
    best = {name: Best() for name in running}
    chance = Random(1)
    for _ in range(options.rounds):
        names = list(running)
        chance.shuffle(names)
        for name in names:
            port, process = running[name]
            load = Load(port, requests=options.requests, clients=options.clients)
            spent = _spent(process)
            rate = asyncio.run(load.run())
            cost = (_spent(process) - spent) / options.requests
            best[name].cost = min(best[name].cost, cost)
            if rate > best[name].rate:
                best[name].rate, best[name].times = rate, sorted(load.times)
    return best


def _line(name: str, one: Best, base: Best) -> str:
    middle, late = one.times[len(one.times) // 2], one.times[len(one.times) * 99 // 100]
    return (
        f"{name:12} {one.rate:10.0f} {one.rate / base.rate:8.2f} "
        f"{one.cost * 1e6:7.0f} {base.cost / one.cost:8.2f} "
        f"{middle * 1000:7.1f} {late * 1000:7.1f}"
    )


def _head(what: str, base: str) -> str:
    ratio = f"x {base}"[:8]
    return (
        f"{what:12} {'requests/s':>10} {ratio:>8} {'CPU us':>7} {ratio:>8} "
        f"{'p50 ms':>7} {'p99 ms':>7}"
    )


def _proxies(running: Running, options: argparse.Namespace) -> None:
    best = _measured(running, options)
    print(f"{options.clients} clients, answers of two bytes; one answer of {options.megabytes} MB")
    print(f"{_head('proxy', 'httpx')} {'+MB':>7}")
    for name, (port, process) in sorted(running.items(), key=lambda each: -best[each[0]].rate):
        before = _memory(process)
        got = asyncio.run(drained(port, f"/{options.megabytes}"))
        assert got > options.megabytes * 1_000_000, f"{name} lost something"
        print(f"{_line(name, best[name], best['httpx'])} {_memory(process) - before:7.1f}")


def _hellos(running: Running, options: argparse.Namespace) -> None:
    best = _measured(running, options)
    print(f"\n{options.clients} clients, a hello route")
    print(_head("application", "Litestar"))
    for name in sorted(running, key=lambda each: -best[each].rate):
        print(_line(name, best[name], best["Litestar"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
