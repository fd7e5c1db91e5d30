"""One writer for SQLite, and one commit for all that waits.

SQLite lets one connection write at a time, and a commit waits for the disk. So writes queue up for one task. It
runs what is waiting in one transaction, each piece in a savepoint of its own, and commits once. Whoever wrote is
told after the commit, never before it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Writer"]

Work = Callable[[AsyncConnection], Awaitable[Any]]
Begin = Callable[[], Any]

_TOGETHER = 100


@dataclass(slots=True)
class _Piece:
    """Something to be written, and who waits for it."""

    work: Work
    done: "asyncio.Future[Any]"


class Writer:
    """Run writes one after the other, and commit them together. Belongs to one event loop.

    A piece that fails is rolled back alone, and the others are committed. When the commit fails, all of them fail.

    Args:
        begin: Opens a transaction: an async context manager of a connection.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: asyncio.Queue[_Piece] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def write(self, work: Work) -> Any:  # noqa: ANN401 - what the work returns
        """Run something in a transaction, and return what it returns once that is committed.

        Cancelling drops what has not begun. What has begun is committed or rolled back as a whole.

        Raises:
            Exception: What the work or the commit raised.
        """
        if self._task is None:
            # In a context of its own: it is no part of the request that happens to be the first to write.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=Context())
        piece = _Piece(work, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(piece)
        return await piece.done

    async def close(self) -> None:
        """Stop, once what is waiting is written."""
        task, self._task = self._task, None
        if task is not None:
            await self._waiting.join()
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        while True:
            pieces = [await self._waiting.get()]
            while len(pieces) < _TOGETHER and not self._waiting.empty():
                pieces.append(self._waiting.get_nowait())
            try:
                await self._together(pieces)
            finally:
                for _ in pieces:
                    self._waiting.task_done()

    async def _together(self, pieces: list[_Piece]) -> None:
        try:
            async with self._begin() as connection:
                outcomes = [
                    await _alone(connection, piece)
                    for piece in pieces
                    if not piece.done.done()  # Else nobody waits any more, and it has not begun.
                ]
        except Exception as error:  # noqa: BLE001 - goes to everybody whose write was lost
            for piece in pieces:
                if not piece.done.done():
                    piece.done.set_exception(error)
            return
        for piece, value, failure in outcomes:
            if piece.done.done():
                continue  # Nobody waits any more.
            if failure is None:
                piece.done.set_result(value)
            else:
                piece.done.set_exception(failure)


async def _alone(
    connection: AsyncConnection, piece: _Piece
) -> tuple[_Piece, Any, Exception | None]:
    try:
        async with connection.begin_nested():
            return piece, await piece.work(connection), None
    except Exception as error:  # noqa: BLE001 - the writer of this piece is told
        return piece, None, error
