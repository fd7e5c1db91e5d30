"""The load balancers, each in a process of its own, with the same replicas behind it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.listening import free_port, until_listening

__all__ = ["CONTENDERS", "running"]

_NGINX = """daemon off; worker_processes 1; pid {directory}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
upstream u {{ {method} {servers} keepalive 64; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1;
proxy_buffering off; proxy_set_header Connection ""; proxy_next_upstream {next}; }} }} }}
"""
_HAPROXY = """defaults
 mode http
 timeout connect 5s
 timeout client 30s
 timeout server 30s
 option redispatch
 retries 3
 {retry}
frontend f
 bind 127.0.0.1:{port}
 default_backend b
backend b
 balance leastconn
 http-reuse always
 option httpchk GET /health/ready
 {servers}
"""
_OBSERVED = "check inter 2s observe layer7 error-limit 5 on-error mark-down"


def _nginx(directory: str, port: int, ports: list[int], *, tuned: bool) -> tuple[list[str], str]:
    words = _NGINX.format(
        directory=directory,
        port=port,
        method="least_conn;" if tuned else "",
        servers=" ".join(f"server 127.0.0.1:{each};" for each in ports),
        next="error timeout http_502 http_503 http_504 http_429" if tuned else "error timeout",
    )
    return ["nginx", "-c", f"{directory}/settings"], words


def _haproxy(directory: str, port: int, ports: list[int], *, tuned: bool) -> tuple[list[str], str]:
    check = _OBSERVED if tuned else "check inter 2s"
    servers = [f"server s{each} 127.0.0.1:{each} {check}" for each in ports]
    words = _HAPROXY.format(
        port=port,
        retry="retry-on all-retryable-errors" if tuned else "",
        servers="\n ".join(servers),
    )
    return ["haproxy", "-f", f"{directory}/settings"], words


def _uat(_: str, port: int, __: list[int], **___: bool) -> tuple[list[str], str]:
    command = [sys.executable, "-m", "uat_service.serve", "uat_platform.load_balancer.app:service"]
    return [*command, "--port", str(port)], ""


CONTENDERS = {
    "uat load balancer": (_uat, False),
    "HAProxy leastconn": (_haproxy, False),
    "HAProxy tuned": (_haproxy, True),
    "nginx": (_nginx, False),
    "nginx tuned": (_nginx, True),
}
"""What makes the command line and the settings of each, and whether they are more than the usual ones.

HAProxy has `leastconn` and `redispatch` both times; tuned it repeats what it can and marks down who fails five
times. Tuned nginx has `least_conn`, and goes to the next one after 502, 503, 504 and 429.
"""


@contextmanager
def running(name: str, ports: list[int]) -> Iterator[tuple[int, bytes]]:
    """Run one of them before these replicas; yield its port and what to ask it."""
    make, tuned = CONTENDERS[name]
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command, words = make(directory, port, ports, tuned=tuned)
        Path(directory, "settings").write_text(words)
        process = subprocess.Popen(  # noqa: S603 - what is listed above
            [shutil.which(command[0]) or command[0], *command[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "LOG_LEVEL": "error",
                "LOAD_BALANCER_DATABASE_URL": f"sqlite:///{directory}/registry.db",
            },
        )
        try:
            asyncio.run(until_listening(port))
            if make is _uat:
                for each in ports:
                    _register(port, each)
            path = b"/proxy/replicas/" if make is _uat else b"/"
            yield port, b"GET %b HTTP/1.1\r\nHost: bench\r\n\r\n" % path
        finally:
            process.terminate()
            process.wait()


def _register(port: int, replica: int) -> None:
    body = json.dumps({"url": f"http://127.0.0.1:{replica}", "lease_seconds": 300}).encode()
    url = f"http://127.0.0.1:{port}/services/replicas/instances"
    with urlopen(Request(url, body, {"Content-Type": "application/json"})):
        pass
