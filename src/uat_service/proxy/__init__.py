"""A streaming reverse proxy for HTTP and WebSockets."""

from uat_service.proxy.app import ReverseProxy
from uat_service.proxy.arrival import Arrival
from uat_service.proxy.errors import (
    BrokenAnswerError,
    ProxyError,
    RefusedRequestError,
    SilentUpstreamError,
    UnreachableError,
)
from uat_service.proxy.feed import GoneError
from uat_service.proxy.http import Exchange
from uat_service.proxy.pools import Pools
from uat_service.proxy.target import Choose, Target
from uat_service.proxy.websocket import Socket

__all__ = [
    "Arrival",
    "BrokenAnswerError",
    "Choose",
    "Exchange",
    "GoneError",
    "Pools",
    "ProxyError",
    "RefusedRequestError",
    "ReverseProxy",
    "SilentUpstreamError",
    "Socket",
    "Target",
    "UnreachableError",
]
