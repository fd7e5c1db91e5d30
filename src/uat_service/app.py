"""A service is a route module plus ten lines.

    service = Service("orders", routes=[get_order, place_order], dependencies=[Dependency("database", ping)])

The rest is here: settings, logs, problems, health, metrics, deadlines, draining. `python -m uat_service.serve
orders:service` serves it.
"""

import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, cast

import anyio
import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import PluginProtocol
from litestar.types import ControllerRouterHandler

from uat_resilience import Bulkhead, HealthRegistry
from uat_resilience._core.arguments import flag, text
from uat_resilience.integrations.asgi import Limiter, ResilienceReport
from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send
from uat_resilience.integrations.structlog import instrument
from uat_resilience.lifecycle import GracefulShutdown, Probe, Status
from uat_resilience.policies.circuit_breaker import CircuitBreaker
from uat_resilience.policies.unset import Unset
from uat_service.bodies import ReadRequest
from uat_service.client.own import registration_of
from uat_service.dependency import Dependency, StartupError, validate
from uat_service.health import Details, HealthPage
from uat_service.logs import configure
from uat_service.methods import Methods
from uat_service.metrics import Metrics
from uat_service.operations import Operations, probes
from uat_service.outer import Outer
from uat_service.problems import ProblemResponses, exception_handlers
from uat_service.replies import Reply
from uat_service.settings import Settings
from uat_service.sockets import FailedSockets, Sockets

__all__ = ["Lifespan", "Service"]

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
"""What a service opens before it serves, and closes after the last request."""

_WAITING = 1.0


class Service:
    """An ASGI application with everything a service has, whatever it does.

    - `/health`, `/health/live`, `/health/ready`, `/health/startup`, `/metrics`, `/resilience`, `/schema`.
    - Every error is answered with problem details and the id of the request.
    - One log line for each request, and metrics by route.
    - Deadlines of callers hold, at most `TIMEOUT_DURATION`. More than `BULKHEAD_SIZE` requests at once wait, twice
      that are refused.
    - Required dependencies are there before it serves.
    - It ends in order (see `server`).

    Made at import, without a loop. A mistake in the settings is told here.

    Args:
        name: Of the service, unless `SERVICE_NAME` says otherwise.
        routes: Handlers, controllers and routers of Litestar.
        dependencies: What it needs from outside.
        version: Of the service.
        settings: What it was told. Default: read from the environment.
        lifespan: Contexts that are open while it serves, entered in this order.
        details: Adds keys to `/health`.
        limiter: Lets requests in, or None for all. Default: a bulkhead of `BULKHEAD_SIZE`, with a queue as long,
            in which a request waits for at most a second. A streamed answer holds its place until it ends.
        provide: What handlers get when they name it as a parameter (`NamedDependency`): values, or a `Provide` of
            Litestar for what belongs to a request. Guards find them in `app.state`.
        security: Ways of showing who one is, by the names that handlers say in `security=`, for the schema.
        plugins: Of Litestar. An `InitPlugin` changes anything about the application.
        around: Is given the application, and returns one that stands in front of it, behind the operators' routes:
            a proxy, say, that hands on only what is for the service itself.
        faithful: Serve headers with their names as spelled, and none that nobody sent, as a proxy has to.
        resilience: Makes what `/resilience` answers of the report of its own policies. Default: that report.

    Attributes:
        name: Of the service.
        settings: What it was told.
        health: Its checks; register more before it starts.
        shutdown: Its end; `shutdown.on_close(...)` runs when the last request is over.
        metrics: Its metrics; `metrics.registry` takes more.
        litestar: The application inside.
        asgi: All of it, for a server that is told that it is ASGI 3; others call one more function for a request.
        faithful: As it was given; whoever serves the service goes by it.
        listens: The address it is served at, told by whoever serves it; None when nobody has.

    Raises:
        ConfigurationError: A setting breaks a rule.
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        name: str,
        *,
        routes: Sequence[ControllerRouterHandler] = (),
        dependencies: Sequence[Dependency] = (),
        version: str = "0.0.0",
        settings: Settings | None = None,
        lifespan: Sequence[Lifespan] = (),
        details: Details | None = None,
        limiter: Limiter | Unset | None = Unset.UNSET,
        provide: Mapping[str, object] | None = None,
        security: Mapping[str, SecurityScheme] | None = None,
        plugins: Sequence[PluginProtocol] = (),
        around: Callable[[App], App] | None = None,
        faithful: bool = False,
        resilience: Callable[[Mapping[str, object]], Mapping[str, object]] | None = None,
    ) -> None:
        self.faithful = flag("faithful", faithful)
        if settings is not None and not isinstance(settings, Settings):
            raise TypeError(f"settings must be Settings, or None, not {settings!r}")
        self.settings = Settings.read(name) if settings is None else settings
        self.name = self.settings.service_name
        self._version = text("version", version)
        self._started = False
        self.listens: tuple[str, int] | None = None
        self.health = HealthRegistry(interval=self.settings.health_interval)
        self.shutdown = GracefulShutdown(
            grace=self.settings.shutdown_grace,
            delay=self.settings.shutdown_delay,
            health=self.health,
        )
        self.health.watch("startup", self._startup, kind=Probe.STARTUP)
        for each in dependencies:
            if not isinstance(each, Dependency):
                raise TypeError(f"dependencies must each be a Dependency, not {each!r}")
            each.register(self.health)
        self.metrics = Metrics(service=self.name, version=version)
        self._report = ResilienceReport(self.name, tally=self.metrics.tally)
        self.litestar = Litestar(
            route_handlers=list(routes),
            exception_handlers=cast("Any", exception_handlers()),
            lifespan=[*lifespan, self._lifespan],
            logging_config=None,
            dependencies={name: _provided(value) for name, value in (provide or {}).items()},
            state=State(dict(provide or {})),
            openapi_config=OpenAPIConfig(
                title=self.name,
                version=version,
                components=Components(security_schemes=dict(security or {})),
            ),
            plugins=[ProblemResponses(), FailedSockets(), *plugins],
            request_class=ReadRequest,
            response_class=Reply,
        )
        # Here and below: a bound method is called at once, an object by way of its type.
        app: App = Methods(Sockets(cast("App", self.litestar.__call__)).__call__).__call__
        app = app if around is None else around(app)
        self.asgi: App = Outer(
            app,
            operations=Operations(
                app,
                health=HealthPage(self.health, service=self.name, version=version, details=details),
                probes=probes(self.health, self._report, resilience),
                metrics=self.metrics,
            ),
            metrics=self.metrics,
            shutdown=self.shutdown,
            max_timeout=self.settings.timeout_duration,
            limiter=self._bulkhead() if limiter is Unset.UNSET else limiter,
        ).__call__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        await self.asgi(scope, receive, send)

    def watch(self, *policies: Any) -> "Service":  # noqa: ANN401 - whatever has a name and a snapshot
        """Show these policies at `/resilience` and `/metrics`; breakers also at `/health`, as not required."""
        self._report.watch(*policies)
        self.metrics.watch(*policies)
        for each in policies:
            if isinstance(each, CircuitBreaker):
                self.health.register(each)
        return self

    def _bulkhead(self) -> Bulkhead:
        size = self.settings.bulkhead_size
        bulkhead = Bulkhead(size, name=f"{self.name}/requests", queue=size, max_wait=_WAITING)
        self.watch(bulkhead)
        return bulkhead

    def _startup(self) -> Status:
        return Status.HEALTHY if self._started else Status.UNHEALTHY

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncGenerator[None]:
        """Innermost of the lifespan: what the service needs is open already, and not yet closed."""
        configure(service=self.name, version=self._version, level=self.settings.log_level)
        self._say_settings()
        async with AsyncExitStack() as ends:
            ends.callback(instrument().close)
            ends.callback(self.metrics.close)
            ends.callback(self._report.close)
            await self._validate()
            group = await ends.enter_async_context(anyio.create_task_group())
            group.start_soon(self.health.arun)
            ends.callback(group.cancel_scope.cancel)
            ends.push_async_callback(self.shutdown.adrained)
            self._started = True
            group.start_soon(self._registered)
            _logger.info("started")
            yield
        _logger.info("stopped")

    async def _registered(self) -> None:
        """Be known to the load balancer, where there is one, until the end begins."""
        registration = registration_of(
            self.name, self.settings, listens=self.listens, version=self._version
        )
        if registration is not None:
            await registration.run(self.shutdown.arequested)

    async def _validate(self) -> None:
        try:
            missing = await validate(
                self.health, shutdown=self.shutdown, patience=self.settings.startup_timeout
            )
        except StartupError as error:
            sys.stderr.write(f"{self.name} cannot start: {error}\n")
            raise
        if missing is not None:
            _logger.warning("started without", dependencies=missing.splitlines())

    def _say_settings(self) -> None:
        told = {
            each.name: {"value": each.value, "source": each.source}
            for each in self.settings.effective()
            if each.source != "default"
        }
        _logger.info("settings", **told)
        for name, meant in self.settings.unknown.items():
            _logger.warning("unknown setting", name=name, meant=meant)


def _provided(value: object) -> Provide:
    return value if isinstance(value, Provide) else Provide(lambda: value, sync_to_thread=False)


_logger = structlog.get_logger("uat_service")
