"""Which request goes where: read from a file, matched, replaced while requests run."""

from uat_platform.gateway.routes.definition import Auth, Limit, Route, Table, UpstreamDefinition
from uat_platform.gateway.routes.matching import Found, Matcher, Missed
from uat_platform.gateway.routes.reading import RoutesError, read_table

__all__ = [
    "Auth",
    "Found",
    "Limit",
    "Matcher",
    "Missed",
    "Route",
    "RoutesError",
    "Table",
    "UpstreamDefinition",
    "read_table",
]
