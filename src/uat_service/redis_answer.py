"""Whether a Redis takes commands: asked once, on connections of its own, in as few bytes as it takes.

one server, or nodes of a Cluster    PING each at once; the first that answers will do
Sentinels                            ask each at once where the master is, and PING that
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = ["RedisRefusesError", "redis_answers"]

_LONGEST_LINE = 1_024

Address = tuple[str, int]


class RedisRefusesError(RuntimeError):
    """A Redis is there and takes no commands: it loads its data, has lost its master, wants a password."""


async def redis_answers(addresses: Sequence[Address], *, password: str, sentinel: str) -> None:
    """Return when one of these takes commands, or the master of their set does.

    Args:
        addresses: Servers, or Sentinels.
        password: That of the servers, or empty for none.
        sentinel: Name of the set, where they are Sentinels; or empty.

    Raises:
        OSError, RedisRefusesError, anyio.EndOfStream: The last that answered was none.
    """
    ping = partial(_ping, password=password)

    async def ping_master(address: Address) -> None:
        await ping(await _master(address, sentinel))

    await _any(addresses, ping_master if sentinel else ping)


async def _any(addresses: Sequence[Address], ask: Callable[[Address], Awaitable[None]]) -> None:
    """Ask all at once, until one answers."""
    failures: list[Exception] = []

    async def one(address: Address) -> None:
        try:
            await ask(address)
        except Exception as error:  # noqa: BLE001 - the last of them is raised below
            failures.append(error)
        else:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for address in addresses:
            group.start_soon(one, address)
    if len(failures) == len(addresses):
        raise failures[-1]


async def _ping(address: Address, password: str) -> None:
    commands = [["AUTH", password]] if password else []
    sent = [_command(*words) for words in (*commands, ["PING"])]
    async with await anyio.connect_tcp(*address) as stream:
        await stream.send(b"".join(sent))
        replies = BufferedByteReceiveStream(stream)
        for _ in sent:
            await _line(replies, b"+")


async def _master(sentinel: Address, name: str) -> Address:
    async with await anyio.connect_tcp(*sentinel) as stream:
        await stream.send(_command("SENTINEL", "get-master-addr-by-name", name))
        replies = BufferedByteReceiveStream(stream)
        if await _line(replies, b"*") != "2":
            raise RedisRefusesError("the Sentinel knows no set of that name")
        await _line(replies, b"$")
        host = await _line(replies)
        await _line(replies, b"$")
        return host, int(await _line(replies))


async def _line(replies: BufferedByteReceiveStream, kind: bytes = b"") -> str:
    """Return a line of a reply without the byte that tells its kind."""
    line = await replies.receive_until(b"\r\n", _LONGEST_LINE)
    if not line.startswith(kind):
        raise RedisRefusesError(line[1:].decode(errors="replace"))
    return line.removeprefix(kind).decode(errors="replace")


def _command(*words: str) -> bytes:
    """Return a command as Redis reads it."""
    parts = [word.encode() for word in words]
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
