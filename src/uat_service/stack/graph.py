"""Who needs whom: what is wrong with it, what comes first, and what depends on what."""

from collections.abc import Collection, Iterable, Mapping

from uat_service.spelling import choice, hint
from uat_service.stack.definition import REDIS, Service, Stack
from uat_service.stack.errors import StackError

__all__ = ["check", "dependants", "drawn", "levels", "listed", "mermaid", "selected"]

Services = Mapping[str, Service]


def check(stack: Stack) -> None:
    """Check that the services can be started in some order, each on a port of its own.

    Raises:
        StackError: A name is unknown, services need each other in a circle, or two have one port. Names all of it.
    """
    problems = [*_unknown(stack.services), *_shared_ports(stack.services)]
    if not problems and (circle := _circle(stack.services)):
        problems = ["services need each other in a circle: " + " → ".join(circle)]
    if problems:
        raise StackError(*problems)


def levels(services: Services) -> list[list[str]]:
    """Return the names in the order they may start: those of one level do not wait for each other."""
    left = dict(services)
    found: list[list[str]] = []
    while left:
        level = [name for name in left if not _before(left[name], left)]
        found.append(level)
        left = {name: service for name, service in left.items() if name not in level}
    return found


def dependants(services: Services, name: str) -> list[str]:
    """Return who stands directly on a service, and so must be stopped before it."""
    return [each for each, service in services.items() if name in _before(service, services)]


def selected(services: Services, names: Iterable[str]) -> dict[str, Service]:
    """Return those named and all that they need, in the order of the file; all of them when none is named.

    Raises:
        StackError: A name is unknown.
    """
    wanted = list(names)
    if not wanted:
        return dict(services)
    problems = [
        f"there is no service `{name}`{choice(name, services)}"
        for name in wanted
        if name not in services
    ]
    if problems:
        raise StackError(*problems)
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += [need for need in services[name].needs if need in services]
    return {name: service for name, service in services.items() if name in found}


def drawn(services: Services) -> str:
    """Return the graph as text: a line for each service, with what it needs; `?` is optional."""
    lines: list[str] = []
    for number, service in _in_order(services):
        needs = [*service.needs, *(f"{need}?" for need in service.optional_needs)]
        port = "" if service.port is None else f" :{service.port}"
        arrow = f" → {', '.join(needs)}" if needs else ""
        lines.append(f"{number}  {service.name}{port}{arrow}")
    return "\n".join(lines)


def listed(services: Services) -> list[dict[str, object]]:
    """Return the graph as JSON has it: an object for each service."""
    return [
        {
            "name": service.name,
            "level": number,
            "port": service.port,
            "needs": service.needs,
            "optional_needs": service.optional_needs,
        }
        for number, service in _in_order(services)
    ]


def mermaid(services: Services) -> str:
    """Return the graph as a Mermaid diagram; dotted arrows are optional."""
    lines = ["flowchart LR"]
    for name, service in services.items():
        lines.append(f"    {name}")
        lines += [f"    {name} --> {need}" for need in service.needs]
        lines += [f"    {name} -.-> {need}" for need in service.optional_needs]
    return "\n".join(lines)


def _in_order(services: Services) -> list[tuple[int, Service]]:
    return [
        (number, services[name])
        for number, level in enumerate(levels(services), 1)
        for name in level
    ]


def _before(service: Service, services: Collection[str]) -> list[str]:
    return [name for name in (*service.needs, *service.optional_needs) if name in services]


def _unknown(services: Services) -> list[str]:
    return [
        f"services.{name} needs `{need}`{hint(need, services)}, which is not in the stack"
        for name, service in services.items()
        for need in (*service.needs, *service.optional_needs)
        if need not in services and need != REDIS
    ]


def _shared_ports(services: Services) -> list[str]:
    owners: dict[int, str] = {}
    problems: list[str] = []
    for name, service in services.items():
        if service.port:
            owner = owners.setdefault(service.port, name)
            if owner != name:
                problems.append(
                    f"services.{owner} and services.{name} both have port {service.port}"
                )
    return problems


def _circle(services: Services) -> list[str]:
    """Return names along a circle, the first one again at the end; none when there is no circle."""
    done: set[str] = set()
    for start in services:
        path = [start]
        todo = [_before(services[start], services)]
        while todo:
            if not todo[-1]:
                done.add(path.pop())
                todo.pop()
                continue
            name, *todo[-1] = todo[-1]
            if name in path:
                return [*path[path.index(name) :], name]
            if name not in done:
                path.append(name)
                todo.append(_before(services[name], services))
    return []
