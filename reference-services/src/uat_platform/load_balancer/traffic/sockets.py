"""WebSockets: each goes to one host, and to another one only while nobody has answered."""

from uat_platform.load_balancer.balancing.algorithms import Asked
from uat_platform.load_balancer.traffic.path import Address
from uat_platform.load_balancer.traffic.services import Served, Services
from uat_service.proxy import ProxyError, Socket, Target, UnreachableError

__all__ = ["relayed"]


async def relayed(
    socket: Socket,
    served: Served | None,
    address: Address,
    services: Services,
    *,
    key: bytes,
) -> None:
    """Pass one WebSocket on, until a side ends it."""
    await socket.begin()
    tried: list[str] = []
    while served is not None:
        asked = Asked(services.now(), services.draw, key)
        choice = served.group.pick(asked, tried=tried, repeatable=True)
        if choice is None:
            break
        ticket = served.begin(choice)
        tried.append(ticket.host.id)
        target = Target(
            ticket.host.instance.url, address.path, headers=((b"x-forwarded-by", services.name),)
        )
        try:
            upstream = await socket.open(target, announce=True)
        except ProxyError as error:
            served.failed(ticket, unreachable=isinstance(error, UnreachableError))
            continue
        except BaseException:
            served.over(ticket)
            raise
        served.answered(ticket, failed=False)
        try:
            if upstream is not None:
                await socket.relay(upstream)
        finally:
            served.over(ticket)
        return
    await socket.refuse(502 if tried else 503)
