"""`python -m benchmarks.services.gateway LOOP UPSTREAM`: the whole API gateway in a process; prints its port.

With its routes, limits, breakers, metrics, and a log line for each request, which goes to the null device. LOOP is
`uvloop` or `asyncio`.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import uvicorn

from uat_platform.gateway.settings import GatewaySettings
from uat_platform.gateway.wiring import serving
from uat_service.protocol import FaithfulProtocol
from uat_service.server import listening

__all__ = ["main"]

_ROUTES = """
[limits.default]
rate = 1000000
burst = 1000000
[upstreams.bench]
urls = ["{upstream}"]
slots = 1000
health = ""
[[routes]]
name = "bench"
path = "/"
upstream = "bench"
auth = "none"
"""


def main(loop: str, upstream: str) -> None:
    """Serve until the process is ended."""
    with (
        tempfile.TemporaryDirectory() as directory,
        listening("127.0.0.1", 0) as listener,
    ):
        file = Path(directory, "gateway.toml")
        file.write_text(_ROUTES.format(upstream=upstream))
        told = {
            "ROUTES_FILE": str(file),
            "IDENTITY_FILE": str(Path(directory, "identity.pem")),
            "LOAD_BALANCER_URL": "",
        }
        service = serving(GatewaySettings.read("api-gateway", told), {})
        config = uvicorn.Config(
            cast("Any", service),
            http=FaithfulProtocol,
            loop=loop,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            reset_contextvars=True,
        )
        print(listener.getsockname()[1], flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
