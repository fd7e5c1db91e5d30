"""What a service tells of itself: which instance it is, and the load balancer that is to know.

Apart from the registration itself, whose HTTP client takes as long to import as the server: a service that is on
its own has no use for it.
"""

import os
import socket
from typing import TYPE_CHECKING

from uat_service import client
from uat_service.resolver.instance import Instance
from uat_service.settings import Settings

if TYPE_CHECKING:
    from uat_service.client.registration import Registration

__all__ = ["balancer_of", "own_instance", "registration_of"]

_ALL = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared


def registration_of(
    service: str, settings: Settings, *, listens: tuple[str, int] | None, version: str
) -> "Registration | None":
    """Return how a service makes itself known to the load balancer, or None where it does not.

    Args:
        service: Its name.
        settings: What it was told.
        listens: The address it listens on, if that is known.
        version: Of the service.
    """
    balancer = balancer_of(settings)
    instance = own_instance(url=settings.advertise_url, listens=listens, version=version)
    if not balancer or instance is None:
        return None
    token = settings.registration_token.get_secret_value()
    return client.Registration(balancer, service, instance, token=token)


def balancer_of(settings: Settings) -> str:
    """Return where a service is to register, or nothing.

    That is what it was told. What it takes for granted otherwise is good enough to ask, not to be registered at.
    """
    told = settings.load_balancer_url if "load_balancer_url" in settings.model_fields_set else ""
    return "" if told == "none" else told


def own_instance(*, url: str, listens: tuple[str, int] | None, version: str) -> Instance | None:
    """Return where this process can be reached, or None when that cannot be told.

    Args:
        url: As it was told, or empty.
        listens: The address it listens on. For all addresses the name of the machine stands.
        version: Of the service.
    """
    if not url:
        if listens is None or not listens[1]:
            return None
        host = socket.gethostname() if listens[0] in _ALL else listens[0]
        url = f"http://[{host}]:{listens[1]}" if ":" in host else f"http://{host}:{listens[1]}"
    # Processes may share an address, and each leaves for itself.
    return Instance(url, id=f"{socket.gethostname()}-{os.getpid()}", version=version)
