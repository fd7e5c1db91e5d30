"""`python -m benchmarks.services.upstream`: answers two bytes, or so many millions; prints its port."""

import asyncio
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
BLOCK = bytes(1_000_000)


class Answering(asyncio.Protocol):
    """Answers at once, whatever is asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._left = 0
        self._free = True

    def data_received(self, data: bytes) -> None:
        """Answer each request in what came."""
        for request in data.split(b"\r\n\r\n")[:-1]:
            path = request.split(b" ", 2)[1]
            if path == b"/":
                self._transport.write(ANSWER)
                continue
            self._left = int(path[1:])
            length = self._left * len(BLOCK)
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            self._go_on()

    def pause_writing(self) -> None:
        """Wait until what was written is gone."""
        self._free = False

    def resume_writing(self) -> None:
        """Go on."""
        self._free = True
        self._go_on()

    def _go_on(self) -> None:
        while self._free and self._left:
            self._left -= 1
            self._transport.write(BLOCK)


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
