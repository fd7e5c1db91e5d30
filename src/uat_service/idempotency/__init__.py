"""Requests that may be sent again without being done again."""

from uat_service.idempotency.middleware import IdempotencyMiddleware

__all__ = ["IdempotencyMiddleware"]
