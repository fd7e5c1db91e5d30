"""Put a run together: claim the directory, bind the sockets, show what happens."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from uat_resilience.clock import Clock
from uat_service.stack import control
from uat_service.stack.audience import Audience
from uat_service.stack.definition import Service
from uat_service.stack.journal import Event, Journal
from uat_service.stack.lifeline import Lifeline
from uat_service.stack.orchestrator import Orchestrator
from uat_service.stack.probing import Prober
from uat_service.stack.reading import Described
from uat_service.stack.sockets import Sockets
from uat_service.stack.starting import Starting
from uat_service.stack.state_dir import StateDir
from uat_service.stack.surroundings import beginning
from uat_service.stack.views import View

__all__ = ["run"]


async def run(
    described: Described,
    services: Mapping[str, Service],
    *,
    state: StateDir,
    view: View,
    notes: list[str],
    variables: Mapping[str, str],
    clock: Clock,
    reload: bool,
) -> int:
    """Run services until they end or are stopped, or nobody reads any more what is shown; return the exit code.

    Args:
        described: The stack.
        services: Those to run.
        state: The directory that is ours.
        view: Where it is shown.
        notes: What is to be said first.
        variables: The environment that services are given.
        clock: Time and chance.
        reload: Whether to restart what a saved file concerns.

    Raises:
        StackError: Ports are taken.
    """
    stop = asyncio.Event()
    journal = Journal(Audience(view, left=stop.set).hear)

    def keep(event: Event) -> None:
        if (problem := state.keep(event)) is not None:
            journal.note(problem)

    journal.subscribe(keep)
    async with AsyncExitStack() as ends:
        lifeline = ends.enter_context(Lifeline())
        shared = beginning(variables, shared=described.stack.env, directory=described.directory)
        apps = [service.app for service in services.values() if service.app is not None]
        starting = Starting(
            shared, apps=apps, learned=state.imports, lifeline=lifeline, journal=journal
        )
        ends.push_async_callback(starting.close)
        if apps:
            await starting.prepare()
        sockets = ends.enter_context(Sockets(services.values(), host=described.stack.host))
        prober = await ends.enter_async_context(Prober(described.stack.host))
        orchestrator = Orchestrator(
            described,
            services,
            sockets=sockets,
            lifeline=lifeline,
            starting=starting,
            prober=prober,
            journal=journal,
            clock=clock,
            variables=variables,
            reload=reload,
            stop=stop,
        )
        for note in notes:
            journal.note(note)
        showing = asyncio.create_task(view.run(orchestrator.rows))
        try:
            async with control.serving(state.socket, orchestrator, journal):
                return await orchestrator.run()
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
