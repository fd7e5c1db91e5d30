"""Calls to other services.

What is behind a name is imported when it is asked for: every service registers itself, and few call others through
a client, whose libraries take as long to import as the rest of a service.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uat_service.client.balanced import NoInstanceError
    from uat_service.client.registration import Registration
    from uat_service.client.services import Services

__all__ = ["NoInstanceError", "Registration", "Services"]

_HOMES = {"NoInstanceError": "balanced", "Registration": "registration", "Services": "services"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
