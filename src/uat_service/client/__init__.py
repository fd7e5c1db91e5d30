"""Calls to other services."""

from uat_service.client.balanced import NoInstanceError
from uat_service.client.registration import Registration
from uat_service.client.services import Services

__all__ = ["NoInstanceError", "Registration", "Services"]
