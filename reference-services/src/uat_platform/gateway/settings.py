"""What the gateway may be told from outside; the names are those of environment variables, in small letters."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from uat_platform.gateway.cors import ANY
from uat_service.addresses import http_origin
from uat_service.duration import Duration
from uat_service.settings import OfStack, Settings

__all__ = ["GatewaySettings"]

_ROUTES = Path(__file__).parents[3] / "gateway.toml"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?")


def _origin(value: str) -> str:
    if value != ANY and not _ORIGIN.fullmatch(value):
        raise ValueError("must be origins such as https://shop.example, with commas between, or *")
    return value


def _http(value: str) -> str:
    http_origin("it", value)
    return value


class GatewaySettings(Settings):
    """The settings of the gateway, besides those that every service has.

    `RETRY_MAX_ATTEMPTS`, `CIRCUIT_BREAKER_FAILURE_THRESHOLD`, `BULKHEAD_SIZE` and `TIMEOUT_DURATION` hold for each
    upstream that the routes file says nothing else of.

    Attributes:
        routes_file: The routes as they are configured. It is only read. Default: the `gateway.toml` beside the
            platform's `stack.toml`, wherever the gateway is started.
        routes_put_file: Where routes are kept that operators put, in place of those.
        routes_interval: Seconds between two looks at these files.
        admin_token: What `/admin` asks for. Empty: it is closed.
        load_balancer_url: Whom to ask where services are. Empty: nobody.
        auth_url: The authentication service: its keys, and who knows API keys.
        jwt_issuer: What tokens must say they come from. Empty: what the authentication service says unless it is
            told otherwise, `http://localhost:<port of auth_url>`.
        jwt_audience: What they must say they are for.
        token_memory: Tokens and API keys whose check is remembered.
        api_key_lifetime: Seconds an API key is believed without being asked for again.
        identity_key: Private key (PEM, P-256) that identities are signed with; the same for all replicas.
        identity_file: Where one is kept that was made because there is none given.
        identity_lifetime: Seconds a signed identity is good for; it is made anew when half of them are over.
        cors_origins: Origins whose pages may ask: such as `https://shop.example`, or `*`. None: it is left to the
            services.
        clients: Clients whose rates are kept apart at most.
    """

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    routes_file: str = str(_ROUTES)
    routes_put_file: str = ".uat/gateway-routes.toml"
    routes_interval: Duration = 1.0
    admin_token: SecretStr = SecretStr("")
    load_balancer_url: Annotated[str, OfStack("load-balancer")] = "http://127.0.0.1:8011"
    auth_url: Annotated[str, OfStack("auth"), AfterValidator(_http)] = "http://127.0.0.1:8015"
    jwt_issuer: str = ""
    jwt_audience: Annotated[str, Field(min_length=1)] = "uat-platform"
    token_memory: Annotated[int, Field(ge=1)] = 10_000
    api_key_lifetime: Duration = 30.0
    identity_key: SecretStr = SecretStr("")
    identity_file: str = ".uat/gateway-identity.pem"
    identity_lifetime: Duration = 60.0
    cors_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    clients: Annotated[int, Field(ge=1)] = 10_000

    @property
    def token_issuer(self) -> str:
        """What tokens must say they come from."""
        return self.jwt_issuer or f"http://localhost:{http_origin('it', self.auth_url).port}"
