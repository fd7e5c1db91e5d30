"""What a routes file says, checked: limits, upstreams and routes."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from uat_service.addresses import http_origin
from uat_service.duration import Duration
from uat_service.forms import form

__all__ = ["Auth", "Limit", "Route", "Table", "UpstreamDefinition"]

Auth = Literal["none", "optional", "required"]

OWN = (
    "/.well-known/gateway-jwks.json",
    "/admin",
    "/health",
    "/livez",
    "/metrics",
    "/readyz",
    "/resilience",
    "/schema",
    "/startupz",
)
"""Paths of the gateway itself. A route to somewhere else would never be asked there."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_UNSAFE = frozenset('%?#\\"<> ')


def _path(value: str) -> str:
    if not value.startswith("/") or (value != "/" and value.endswith("/")):
        raise ValueError("must begin with a slash and not end with one")
    if not value.isascii() or not value.isprintable() or _UNSAFE & set(value):
        raise ValueError("must be a plain path, without escapes and query")
    if any(segment in {"", ".", ".."} for segment in value.split("/")[1:] if value != "/"):
        raise ValueError("must have no empty, `.` or `..` segment")
    return value


def _origin(value: str) -> str:
    http_origin("it", value)
    return value.rstrip("/")


def _host(value: str) -> str:
    plain = value.lower().removeprefix("*.")
    if not plain or not plain.isascii() or set(plain) & set("*:/ "):
        raise ValueError("must be a host, or `*.` and one, without a port")
    return value.lower()


def _method(value: str) -> str:
    if value not in _METHODS:
        raise ValueError(f"must be one of {', '.join(sorted(_METHODS))}")
    return value


_NAME = form(
    r"^[a-z0-9][a-z0-9-]{0,62}$",
    "1 to 63 small letters, digits and hyphens, a letter or digit first",
)
_HEADER = form(r"^[A-Za-z0-9-]{1,100}$", "1 to 100 letters, digits and hyphens")
_SCOPE = form(
    r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$",
    "one word of up to 100 letters of ASCII, without quotes and backslashes",
)
Name = Annotated[str, Field(pattern=_NAME)]
Path = Annotated[str, AfterValidator(_path)]
HeaderName = Annotated[str, Field(pattern=_HEADER)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, regex_engine="python-re"
    )


class Limit(_Part):
    """Requests of one client: `rate` in `per` seconds, and `burst` at once after a rest."""

    rate: Annotated[float, Field(gt=0, le=1e6)]
    per: Duration = 1.0
    burst: Annotated[int, Field(ge=1, le=1_000_000)]


class UpstreamDefinition(_Part):
    """A service behind the gateway. What is None is as the settings of the gateway have it.

    Attributes:
        service: Its name at the load balancer; that of the upstream when empty.
        urls: Where it is when the load balancer knows of no instance.
        timeout: Seconds until an answer begins, all attempts together.
        attempt_timeout: Seconds from the end of a request until its answer begins, in one attempt.
        attempts: At most, the first included.
        slots: Requests at once; a streamed answer holds one until it ends.
        queue: Requests that wait for a slot.
        queue_wait: Seconds they wait at most.
        sockets: WebSockets at once.
        failures: In a row at one instance, that make it be left alone.
        recovery: Seconds it is left alone.
        silence: Seconds without a byte in the middle of an answer, after which it is given up.
        health: Path that is asked for the state of an instance. Empty: its breaker says it.
    """

    service: Name | None = None
    urls: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    timeout: Duration | None = None
    attempt_timeout: Duration = 10.0
    attempts: Annotated[int, Field(ge=1, le=10)] | None = None
    slots: Annotated[int, Field(ge=1)] | None = None
    queue: Annotated[int, Field(ge=0)] = 100
    queue_wait: Duration = 1.0
    sockets: Annotated[int, Field(ge=1)] = 1000
    failures: Annotated[int, Field(ge=1)] | None = None
    recovery: Duration = 5.0
    silence: Duration = 60.0
    health: Path | Literal[""] = "/health/ready"


class Route(_Part):
    """Requests that go to one upstream: all rules that are given must hold.

    Attributes:
        name: For logs, metrics and people.
        path: Whole segments that the path begins with.
        hosts: Names the request may be for; `*.` stands for any name below one.
        headers: Values of headers.
        methods: Methods; GET means HEAD too. Empty for all.
        upstream: Where the requests go.
        rewrite: What takes the place of `path`; None leaves the path as it is.
        auth: Whether a caller has to show who it is.
        scopes: All of which its token must be good for.
        limit: The limit for each client.
        deadline: Seconds for all of a request, its answer's body included, which the upstream is told. None for
            what the client says alone: an answer that is streamed may last.
    """

    name: Name
    path: Path
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    headers: dict[HeaderName, str] = {}
    methods: tuple[Annotated[str, AfterValidator(_method)], ...] = ()
    upstream: Name
    rewrite: Path | None = None
    auth: Auth = "required"
    scopes: tuple[Annotated[str, Field(pattern=_SCOPE)], ...] = ()
    limit: Name = "default"
    deadline: Duration | None = None

    @model_validator(mode="after")
    def _own_paths_are_ours(self) -> Self:
        if any(self.path == own or self.path.startswith(own + "/") for own in OWN):
            raise ValueError(f"path {self.path} is one of the gateway itself")
        if self.scopes and self.auth != "required":
            raise ValueError('scopes need auth = "required"')
        return self


class Table(_Part):
    """All that a routes file says."""

    limits: dict[Name, Limit] = {}
    upstreams: dict[Name, UpstreamDefinition] = {}
    routes: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for route in self.routes:
            if route.upstream not in self.upstreams:
                raise ValueError(f"route {route.name}: there is no upstream {route.upstream}")
            if route.limit not in self.limits and route.limit != "default":
                raise ValueError(f"route {route.name}: there is no limit {route.limit}")
        rules = Counter(
            (each.path, each.hosts, tuple(sorted(each.headers.items())), each.methods)
            for each in self.routes
        )
        names = Counter(each.name for each in self.routes)
        for name, times in names.items():
            if times > 1:
                raise ValueError(f"route {name} is there {times} times")
        for each in self.routes:
            if rules[each.path, each.hosts, tuple(sorted(each.headers.items())), each.methods] > 1:
                raise ValueError(f"route {each.name} has the same rules as another one")
        return self
