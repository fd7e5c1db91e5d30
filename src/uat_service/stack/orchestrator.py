"""Run the services of a stack: start them in order, keep them running, stop them in the reverse order."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import ExitStack

from uat_resilience.clock import Clock
from uat_service.stack.board import Board
from uat_service.stack.definition import REDIS, Service
from uat_service.stack.fleet import Fleet
from uat_service.stack.instance import Instance
from uat_service.stack.journal import Journal
from uat_service.stack.launch import Launches
from uat_service.stack.lifeline import Lifeline
from uat_service.stack.probing import Prober
from uat_service.stack.reading import Described
from uat_service.stack.reloading import Reloading
from uat_service.stack.row import Row, row
from uat_service.stack.sampler import Sampler
from uat_service.stack.shared import Shared
from uat_service.stack.sockets import Sockets
from uat_service.stack.starting import Starting
from uat_service.stack.state import SETTLED, State, Status
from uat_service.stack.touching import Touching
from uat_service.stack.waits import first

__all__ = ["INTERRUPTED", "Orchestrator"]

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Orchestrator:
    """Run some services. Make it inside the event loop that runs it, and run it once.

    Args:
        described: The stack.
        services: Those to run, with all that they need.
        sockets: Their listening sockets.
        lifeline: Ends them with us.
        starting: Starts them.
        prober: Asks them whether they are ready.
        journal: Where everything is told.
        clock: Time and chance.
        variables: The environment that they are given.
        reload: Whether to restart what a saved file concerns.
        stop: Begins to stop everything when it is set.
    """

    def __init__(
        self,
        described: Described,
        services: Mapping[str, Service],
        *,
        sockets: Sockets,
        lifeline: Lifeline,
        starting: Starting,
        prober: Prober,
        journal: Journal,
        clock: Clock,
        variables: Mapping[str, str],
        reload: bool,
        stop: asyncio.Event,
    ) -> None:
        self._described = described
        self._services = services
        self._sockets = sockets
        self._prober = prober
        self._journal = journal
        self._clock = clock
        self._reload = reload
        self._stop = stop
        self._kill = asyncio.Event()
        self._ended = asyncio.Event()
        self._signals = 0
        self._code = 1
        statuses = [
            Status(instance, service.name, State.WAITING)
            for service in services.values()
            for instance in service.instances
        ]
        self.board = Board(statuses, journal)
        self._sampler = Sampler(services, board=self.board, sockets=sockets, prober=prober)
        shared = Shared(
            board=self.board,
            journal=journal,
            start=starting,
            lifeline=lifeline,
            prober=prober,
            clock=clock,
            kill=self._kill,
            health_interval=described.stack.health_interval,
        )
        launches = Launches(described, sockets=sockets, lifeline=lifeline.fd, variables=variables)
        self._fleet = Fleet(
            services,
            lambda service, name: Instance(name, service, launches(service, name), shared),
            journal.note,
        )

    @property
    def names(self) -> list[str]:
        """The services that are run."""
        return list(self._services)

    def instances(self, service: str) -> list[str]:
        """Return the processes of a service; a process stands for itself."""
        if service in self._services:
            return self._services[service].instances
        return [status.instance for status in self.board.statuses if status.instance == service]

    def rows(self) -> list[Row]:
        """Return what is shown of each process."""
        now = self._clock.now()
        return [
            row(
                status,
                port=self._sockets.ports.get(status.service),
                traffic=self._sampler.traffic(status.instance),
                now=now,
            )
            for status in self.board.statuses
        ]

    async def health(self) -> dict[str, str | None]:
        """Ask each process now; return what is wrong with it, or None."""
        asked = self.board.statuses
        problems = await asyncio.gather(*map(self._problem, asked))
        return {each.instance: problem for each, problem in zip(asked, problems, strict=True)}

    async def _problem(self, status: Status) -> str | None:
        problem = None
        # Where no process runs the socket is still open, and whoever asks there waits for nobody.
        if status.pid is not None:
            door = self._sockets.door(status.service, status.instance)
            problem = await self._prober.problem(self._services[status.service], door)
        return problem or _not_running(self.board[status.instance])

    async def restart(self, name: str, because: str = "asked for") -> State:
        """Restart the processes of a service one after the other, or one of them; return what came of it.

        Restarts that are asked for meanwhile are one.
        """
        return await self._fleet.restart(name, because)

    def stop(self) -> None:
        """Begin to stop everything."""
        self._stop.set()

    @property
    def over(self) -> bool:
        """Whether everything has ended."""
        return self._ended.is_set()

    async def ended(self) -> int:
        """Wait until everything has ended; return the exit code."""
        await self._ended.wait()
        return self._code

    async def run(self) -> int:
        """Run everything, until a signal comes, `stop` is called, or there is nothing left to run.

        Returns:
            The exit code: 0 when all ended as they should, 1 when one had failed or had to be killed, 130 when a
            second signal cut it short.
        """
        with ExitStack() as ends:
            self._listen(ends)
            running = self._fleet.start()
            beside = [asyncio.create_task(self._sampler.run())]
            if self._reload:
                beside.append(asyncio.create_task(self._reloading()))
            # One that breaks by a mistake of ours shall end everything, and not be forgotten.
            tasks = [*beside, *(task for tasks in running.values() for task in tasks)]
            try:
                await first(self._stop.wait(), self._nothing_left(), *map(_done, tasks))
                self._stop.set()
                failed = any(each.state in _BAD for each in self.board.statuses)
                await self._fleet.drain(running)
                self._code = self._outcome(failed=failed)
            finally:
                for each in self._fleet.every():
                    each.kill()
                for task in tasks:
                    task.cancel()
                self._ended.set()
            return self._code

    def _listen(self, ends: ExitStack) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled)
            ends.callback(loop.remove_signal_handler, number)

    def _signalled(self) -> None:
        self._signals += 1
        if self._signals == 1:
            self._journal.note("stopping; once more kills")
            self._stop.set()
        elif self._signals == 2:  # noqa: PLR2004 - the second; the third changes nothing
            self._journal.note("killing")
            self._kill.set()
            self._stop.set()

    async def _nothing_left(self) -> None:
        """Wait until no service runs, and none will by itself."""
        while self._reload or any(
            each.state not in SETTLED for each in self.board.statuses if each.service != REDIS
        ):
            await self.board.changed()

    async def _reloading(self) -> None:
        # A Redis that was added concerns nobody who saves.
        described = self._described.stack.services
        touching = Touching(
            {name: each for name, each in self._services.items() if name in described},
            directory=self._described.directory,
            shared=self._described.stack.watch,
        )
        tasks: set[asyncio.Task[State]] = set()

        def restart(name: str, because: str) -> None:
            task = asyncio.create_task(self.restart(name, because))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        reloading = Reloading(touching, restart=restart, note=self._journal.note, clock=self._clock)
        await reloading.run(self._stop)
        await self._stop.wait()

    def _outcome(self, *, failed: bool) -> int:
        if self._signals > 1:
            return INTERRUPTED
        return int(failed or any(each.unclean is not None for each in self._fleet.every()))


_BAD = frozenset({State.FAILED, State.CRASH_LOOP, State.BACKOFF})


def _not_running(status: Status) -> str | None:
    if status.state in {State.RUNNING, State.FINISHED}:
        return None
    return f"{status.state.value} ({status.detail})" if status.detail else status.state.value


async def _done(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)
