"""A streaming reverse proxy for HTTP and WebSockets."""

from uat_service.proxy.app import ReverseProxy
from uat_service.proxy.errors import (
    BrokenAnswerError,
    ProxyError,
    RefusedRequestError,
    SilentUpstreamError,
    UnreachableError,
)
from uat_service.proxy.target import Choose, Target

__all__ = [
    "BrokenAnswerError",
    "Choose",
    "ProxyError",
    "RefusedRequestError",
    "ReverseProxy",
    "SilentUpstreamError",
    "Target",
    "UnreachableError",
]
