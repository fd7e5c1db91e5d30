"""The processes of a stack, by the services that they serve."""

import asyncio
from collections.abc import Callable, Mapping

from uat_service.stack.definition import Service
from uat_service.stack.graph import dependants
from uat_service.stack.instance import Instance
from uat_service.stack.state import State

__all__ = ["Fleet"]


class Fleet:
    """Keep the processes of each service together: they restart in turn, and stop in order.

    Args:
        services: What is run.
        instance: Makes one process of a service, by its name.
        note: Takes what people should know.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        instance: Callable[[Service, str], Instance],
        note: Callable[[str], object],
    ) -> None:
        self._services = services
        self._note = note
        self._restarting: dict[str, asyncio.Task[State]] = {}
        self._instances = {
            service.name: [instance(service, name) for name in service.instances]
            for service in services.values()
        }

    def start(self) -> dict[str, list[asyncio.Task[None]]]:
        """Start everything; return the tasks that run the processes, by service."""
        return {
            name: [asyncio.create_task(instance.run()) for instance in instances]
            for name, instances in self._instances.items()
        }

    def every(self) -> list[Instance]:
        """Return all processes."""
        return [each for instances in self._instances.values() for each in instances]

    async def restart(self, name: str, because: str) -> State:
        """Restart the processes of a service one after the other, or one of them; return what came of it.

        Restarts that are asked for meanwhile are one.
        """
        task = self._restarting.get(name)
        if task is None or task.done():
            self._note(f"{name}: restarts ({because})")
            task = self._restarting[name] = asyncio.create_task(self._roll(name))
        else:
            for instance in self._named(name):
                instance.restart()
        return await asyncio.shield(task)

    async def drain(self, running: Mapping[str, list[asyncio.Task[None]]]) -> None:
        """Stop each service once all that stand on it have stopped.

        Args:
            running: What `start` returned.
        """
        stopped = {name: asyncio.Event() for name in running}

        async def stop(name: str) -> None:
            for each in dependants(self._services, name):
                await stopped[each].wait()
            for instance in self._instances[name]:
                instance.stop()
            await asyncio.gather(*running[name])
            stopped[name].set()

        await asyncio.gather(*map(stop, running))

    async def _roll(self, name: str) -> State:
        worst = State.RUNNING
        for instance in self._named(name):
            instance.restart()
            state = await instance.settled()
            worst = worst if state in {State.RUNNING, State.FINISHED} else state
        return worst

    def _named(self, name: str) -> list[Instance]:
        """Return those of a service; a process stands for itself."""
        if name in self._instances:
            return self._instances[name]
        return [each for each in self.every() if each.name == name]
