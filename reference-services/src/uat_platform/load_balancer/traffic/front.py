"""What stands in front of the service's own routes: requests that are for others go on to them.

Answers say who passed them on, and when there is panic:

    X-Load-Balancer: load-balancer             always
    X-Load-Balancer-Instance: shop-1           which host has answered
    X-Load-Balancer-Panic: shop                too few hosts of the service are fit, so any of them may have
"""

from urllib.parse import quote

from uat_platform.load_balancer.traffic.affinity import Affinity
from uat_platform.load_balancer.traffic.attempt import Attempts, NoHostError, Opened
from uat_platform.load_balancer.traffic.meters import UNKNOWN
from uat_platform.load_balancer.traffic.path import Address, Addresses
from uat_platform.load_balancer.traffic.refusal import UNAVAILABLE, Refusal, of
from uat_platform.load_balancer.traffic.services import Served, Services
from uat_platform.load_balancer.traffic.sockets import relayed
from uat_resilience.ambient import retries_owned
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_resilience.integrations.serving.asgi_types import App, RawHeaders, Receive, Scope, Send
from uat_service.proxy import Exchange, GoneError, ProxyError, Socket

__all__ = ["Front"]

_HELD = 65_536


class Front:
    """Pass requests on, and hand what is for the service itself to its application.

    Args:
        app: The application.
        addresses: Read paths.
        services: The services that are known.
        affinity: Finds whose request it is.
    """

    def __init__(
        self, app: App, *, addresses: Addresses, services: Services, affinity: Affinity
    ) -> None:
        self._app = app
        self._addresses = addresses
        self._services = services
        self._affinity = affinity
        self._name = (b"x-load-balancer", services.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it.

        Raises:
            ProxyError: The answer broke off after it had begun.
        """
        kind = scope["type"]
        address = self._addresses(scope["raw_path"]) if kind in {"http", "websocket"} else None
        if address is None:
            await self._app(scope, receive, send)
            return
        scope["path_template"] = address.route
        served = await self._services.find(address.service)
        if kind == "websocket":
            patience = self._services.pools.connect_timeout
            socket = Socket(scope, receive, send, connect_timeout=patience)
            await relayed(socket, served, address, self._services, key=self._affinity(scope))
        elif served is None:
            await self._refuse(UNAVAILABLE, send, service=UNKNOWN, reason="service_unavailable")
        else:
            await self._passed(served, address, scope, receive, send)

    async def _passed(
        self, served: Served, address: Address, scope: Scope, receive: Receive, send: Send
    ) -> None:
        exchange = Exchange(scope, receive, send)
        began = self._services.now()
        try:
            await exchange.begin(hold=_HELD)
            opened = await self._attempts(exchange, served, address, scope).opened()
            await self._relay(exchange, served, opened)
        except GoneError:
            return
        except NoHostError:
            await self._refuse(UNAVAILABLE, send, service=served.name, reason="service_unavailable")
        except ProxyError as error:
            if exchange.started:
                self._services.meters.failed(served.name, "broken_answer")
                raise
            await self._refuse(of(error), send, service=served.name, reason="proxy_error")
        else:
            elapsed = self._services.now() - began
            status = opened.arrival.status
            self._services.meters.answered(served.name, scope["method"], status, elapsed)

    def _attempts(
        self, exchange: Exchange, served: Served, address: Address, scope: Scope
    ) -> Attempts:
        headers = {bytes(name): value for name, value in scope["headers"]}

        def header(name: str) -> str | None:
            value = headers.get(name.lower().encode("latin-1"))
            return None if value is None else value.decode("latin-1")

        repeat = repeat_of(scope["method"], header, replayable=exchange.replayable)
        return Attempts(
            exchange,
            served,
            address,
            self._services,
            key=self._affinity(scope),
            repeatable=repeat is Repeat.FREELY,
            owned=retries_owned.get(),
        )

    async def _relay(self, exchange: Exchange, served: Served, opened: Opened) -> None:
        instance = quote(opened.ticket.host.id, safe=":/").encode("ascii")
        more = [self._name, (b"x-load-balancer-instance", instance)]
        if opened.choice.panic:
            more.append((b"x-load-balancer-panic", served.name.encode("ascii", "replace")))
        try:
            await exchange.relay(opened.arrival, more=more)
        except GoneError:
            raise
        except ProxyError:
            served.broke(opened.ticket)
            raise
        finally:
            served.over(opened.ticket)

    async def _refuse(self, refusal: Refusal, send: Send, *, service: str, reason: str) -> None:
        self._services.meters.failed(service, reason)
        more: RawHeaders = [self._name]
        await refusal.send(send, more)
