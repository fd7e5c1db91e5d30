"""Which services there are, and how they are: read by people, by old checkers, and by those who call them."""

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.routes.names import Name
from uat_platform.load_balancer.views import ServiceLine, ServiceView, line, view
from uat_service.problems import problem_responses

__all__ = ["routes"]


@get("/services")
async def services(parts: NamedDependency[Parts]) -> dict[str, ServiceLine]:
    """Return all services, each in a few words."""
    fleet = parts.fleet
    now = fleet.now()
    return {name: line(name, group, fleet.registry, now) for name, group in fleet.groups.items()}


@get("/services/{name:str}", responses=problem_responses(400, 404))
async def service(name: Name, parts: NamedDependency[Parts]) -> ServiceView:
    """Return one service with its hosts: their scores, weights and states, and why."""
    fleet = parts.fleet
    group = fleet.group(name)
    if group is None:
        raise NotFoundException(f"no instance of {name} is registered")
    return view(name, group, fleet.registry, fleet.now())


routes = [services, service]
