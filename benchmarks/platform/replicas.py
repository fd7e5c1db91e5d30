"""`python -m benchmarks.platform.replicas SPEC...`: servers that are ill as they are told; prints their ports.

    200:10      answers 200 after 10 ms
    503:0       answers 503 at once

All of them say that they are healthy, as such servers do.
"""

import asyncio
import sys
from typing import cast

_ANSWER = b"HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Replica(asyncio.Protocol):
    """Answers with one status, some time later."""

    def __init__(self, status: int, delay: float) -> None:
        self._answer = _ANSWER % status
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request in what came; none of them has a body."""
        for request in data.split(b"\r\n\r\n")[:-1]:
            if request.split(b" ", 2)[1].startswith(b"/health"):
                self._transport.write(_ANSWER % 200)
            elif self._delay:
                loop = asyncio.get_running_loop()
                loop.call_later(self._delay, self._transport.write, self._answer)
            else:
                self._transport.write(self._answer)


async def main(specs: list[str]) -> None:
    """Serve until the process is ended."""
    loop, servers = asyncio.get_running_loop(), []
    for spec in specs:
        status, _, delay = spec.partition(":")
        made = int(status), float(delay) / 1000
        servers.append(
            await loop.create_server(lambda made=made: Replica(*made), "127.0.0.1", 0, backlog=256)
        )
    print(*(each.sockets[0].getsockname()[1] for each in servers), flush=True)
    await asyncio.gather(*(each.serve_forever() for each in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
