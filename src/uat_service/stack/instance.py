"""The life of one process of a stack: started, watched, started again, stopped."""

import asyncio

from uat_resilience import Exponential
from uat_service.stack.definition import Service
from uat_service.stack.gate import blocking
from uat_service.stack.launch import Launch
from uat_service.stack.process import Ended, Process
from uat_service.stack.restarts import Next, Restarts, Verdict, described
from uat_service.stack.shared import Shared
from uat_service.stack.state import State
from uat_service.stack.waits import first

__all__ = ["Instance"]

_BETWEEN_LOOKS = Exponential(0.05, factor=1.5, maximum=1.0)
_SOON = 1.0
_ASKED_TO_STOP = frozenset({0, -15, 143, -2, 130})
_STATES = {
    Next.AGAIN: State.BACKOFF,
    Next.CRASH_LOOP: State.CRASH_LOOP,
    Next.FAILED: State.FAILED,
    Next.FINISHED: State.FINISHED,
}


class Instance:
    """Keep one process running, until it is stopped.

    Args:
        name: Its name.
        service: The service it belongs to.
        launch: How it is started.
        shared: What all of them have in common.

    Attributes:
        unclean: How it ended when it was stopped, unless it ended well.
    """

    def __init__(self, name: str, service: Service, launch: Launch, shared: Shared) -> None:
        self.name = name
        self.unclean: str | None = None
        self._service = service
        self._launch = launch
        self._shared = shared
        self._board = shared.board
        self._restarts = Restarts(server=service.port is not None)
        self._order = asyncio.Event()
        self._stopping = False
        self._starts = 0
        self._ready_since: float | None = None
        self._process: Process | None = None

    def restart(self) -> None:
        """Start it again, with what it has begun finished first. Does not wait for it."""
        self._restarts.forget()
        self._order.set()

    def stop(self) -> None:
        """Stop it for good. `run` returns when it has ended."""
        self._stopping = True
        self._order.set()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()

    async def settled(self) -> State:
        """Wait until a restart has been taken up and has come to something; return to what."""
        while self._order.is_set() or self._board[self.name].state in _UNDECIDED:
            await self._board.changed()
        return self._board[self.name].state

    async def run(self) -> None:
        """Keep it running; returns once it was stopped."""
        await self._needed()
        while not self._stopping:
            await self._live()
        self._board.ended(self.name, State.STOPPED, self.unclean or "")

    async def _needed(self) -> None:
        """Wait until what it needs is ready."""
        within = self._service.start_within
        until = self._shared.clock.now() + within
        while not self._stopping:
            missing = ", ".join(blocking(self._service, self._board.by_service()))
            if not missing:
                return
            left = until - self._shared.clock.now()
            if left > 0:
                self._board.set(self.name, State.WAITING, f"for {missing}")
            else:
                # Still started when what it needs comes up after all.
                detail = f"not ready within {within:g} s: {missing}"
                self._board.set(self.name, State.FAILED, detail)
            await first(
                self._board.changed(), self._order.wait(), within=left if left > 0 else None
            )
            if not self._stopping:
                self._order.clear()

    async def _live(self) -> None:
        """Start it once, and see it to its end and through the pause after it."""
        self._order.clear()
        # A nursery may have seconds of imports to do first, and what went before is over.
        self._board.ended(self.name, State.STARTING, "no process yet")
        try:
            await first(self._start(), self._order.wait())
        except OSError as error:
            verdict = Verdict(Next.FAILED)
            program = self._launch.command[0]
            await self._follow(verdict, f"{program} cannot be started: {error.strerror}")
            return
        process = self._process
        if process is None:  # Told to stop, or to start anew, before there was one.
            return
        try:
            ended, reason = await self._watched(process)
        finally:
            process.kill()
            self._shared.lifeline.release(process.pid)
            self._process = None
        if reason is None:
            await self._judge(ended.code, described(ended.code))
        elif reason:
            await self._judge(1, reason)

    async def _start(self) -> None:
        process = await self._shared.start(self._launch, self._said)
        self._process = process
        self._shared.lifeline.hold(process.pid)
        self._ready_since = None
        self._board.started(
            self.name, pid=process.pid, since=self._shared.clock.now(), restarts=self._starts
        )
        self._starts += 1

    async def _watched(self, process: Process) -> tuple[Ended, str | None]:
        """Return how it ended, and why we ended it: None when we did not, "" when somebody asked for it."""
        exited = asyncio.create_task(process.wait())
        late = asyncio.create_task(self._attend())
        order = asyncio.create_task(self._order.wait())
        try:
            await asyncio.wait({exited, late, order}, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                return Ended(exited.result()), None
            reason = "" if order.done() else f"not ready within {self._service.start_within:g} s"
            late.cancel()
            self._board.set(self.name, State.DRAINING, reason)
            ended = await process.stop(grace=self._service.grace, now=self._shared.kill)
            self._account(ended)
            return ended, reason
        finally:
            for task in (exited, late, order):
                task.cancel()

    def _account(self, ended: Ended) -> None:
        if ended.killed:
            self.unclean = f"killed, it did not stop within {self._service.grace:g} s"
            if self._shared.kill.is_set():
                self.unclean = "killed"
        elif ended.code not in _ASKED_TO_STOP:
            self.unclean = f"stopped with {described(ended.code)}"
        else:
            self.unclean = None
        if self.unclean is not None:
            self._shared.journal.note(f"{self.name}: {self.unclean}")

    async def _attend(self) -> None:
        """Ask it whether it is ready, and go on asking; returns when it was not ready in time."""
        if not await self._becomes_ready():
            return
        self._ready_since = self._shared.clock.now()
        self._board.set(self.name, State.RUNNING)
        missed = 0
        while True:
            await self._pause(_SOON if missed else self._shared.health_interval)
            problem = await self._problem()
            missed = 0 if problem is None else missed + 1
            if problem is None:
                self._board.set(self.name, State.RUNNING)
            elif missed > 1:  # A single miss may be a busy moment.
                self._board.set(self.name, State.UNHEALTHY, problem)

    async def _becomes_ready(self) -> bool:
        until = self._shared.clock.now() + self._service.start_within
        looks = 0
        while (problem := await self._problem()) is not None:
            left = until - self._shared.clock.now()
            if left <= 0:
                return False
            looks += 1
            if looks > 1:
                self._board.set(self.name, State.STARTING, problem)
            await self._pause(min(left, _BETWEEN_LOOKS(looks)))
        return True

    async def _problem(self) -> str | None:
        return await self._shared.prober.problem(self._service, self._launch.door)

    async def _judge(self, code: int, reason: str) -> None:
        now, since = self._shared.clock.now(), self._ready_since
        verdict = self._restarts.ended(
            code,
            ready_for=0.0 if since is None else now - since,
            draw=self._shared.clock.random(),
        )
        await self._follow(verdict, reason)

    async def _follow(self, verdict: Verdict, reason: str) -> None:
        waits = verdict.next in {Next.AGAIN, Next.CRASH_LOOP}
        again = f"; again in {verdict.pause:.1f} s" if waits else ""
        self._board.ended(self.name, _STATES[verdict.next], reason + again)
        await first(self._order.wait(), within=verdict.pause if waits else None)

    async def _pause(self, seconds: float) -> None:
        await first(asyncio.Event().wait(), within=seconds)

    def _said(self, lines: list[bytes]) -> None:
        self._shared.journal.said(self.name, lines)


_UNDECIDED = frozenset({State.WAITING, State.STARTING, State.DRAINING, State.BACKOFF})
