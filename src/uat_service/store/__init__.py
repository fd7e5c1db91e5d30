"""Databases for what must last."""

from uat_service.store.errors import StoreUnavailableError
from uat_service.store.migrations import MigrationError
from uat_service.store.store import Store
from uat_service.store.url import StoreUrl

__all__ = ["MigrationError", "Store", "StoreUnavailableError", "StoreUrl"]
