"""What may be kept of an answer."""

from litestar.datastructures import CacheControlHeader

__all__ = ["NO_STORE"]

NO_STORE = CacheControlHeader(no_store=True)
"""Of answers with tokens in them."""
