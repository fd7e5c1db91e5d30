"""What a service may be told from outside: by environment variables, or files of secrets.

class OrderSettings(Settings):
    currency: str = "EUR"

settings = OrderSettings.read("orders")         # ORDERS_CURRENCY, UAT_CURRENCY or CURRENCY
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from uat_resilience._core.arguments import text
from uat_service.addresses import http_origin, http_url, redis_addresses, without_password
from uat_service.duration import Duration, Pause
from uat_service.environment import ConfigurationError, Environment, OfStack

__all__ = ["ConfigurationError", "Effective", "Level", "OfStack", "Settings"]

_NOWHERE = frozenset({"", "none"})
Level = Literal["debug", "info", "warning", "error", "critical"]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it holds.

    Attributes:
        name: As an environment variable is called.
        value: As text, or `**********` when it is a secret.
        source: The variable it came from, `argument`, or `default`.
    """

    name: str
    value: str
    source: str


class Settings(BaseSettings):
    """The settings every service has; a service with more inherits from them.

    Each comes from the first of `<SERVICE>_<NAME>`, `UAT_<NAME>` and `<NAME>` that is set (see `environment`).
    Frozen, so safe to share. No `.env` file is read: what starts a service decides what it is told.

    Attributes:
        service_name: What the service is called in logs, health and metrics.
        host: Address to listen on. This machine only by default; a container says `0.0.0.0`.
        port: Port to listen on; 0 for any free one.
        log_level: Below it nothing is logged.
        redis_addr: `host:port` of a Redis, or empty for none. Several, with commas between, are nodes of a
            Cluster, or Sentinels. The password stands in `redis_password` alone.
        redis_sentinel: Name of the set whose master is the Redis, when `redis_addr` names Sentinels; or empty.
        redis_sentinel_password: What Sentinels want to hear themselves, or empty when they want none.
        redis_password: The password of the Redis.
        redis_db: Number of its database; a Cluster has none but 0.
        circuit_breaker_failure_threshold: Failures in a row that open a breaker.
        retry_max_attempts: Calls at most, the first included.
        timeout_duration: Seconds a request may ask for at most.
        bulkhead_size: Requests that are served at once; as many again may wait.
        shutdown_delay: Seconds a service goes on serving after it has said it is not ready. Zero where nobody
            has to notice; what a load balancer takes where there is one.
        shutdown_grace: Seconds for the whole end, the delay included. Less than the 30 that Kubernetes gives.
        startup_timeout: Seconds that required dependencies are waited for.
        health_interval: Seconds between two rounds of health checks.
        load_balancer_url: Where the service registers itself, or empty or `none` for nowhere. A stack that has a
            service called `load-balancer` tells it.
        advertise_url: How others reach this process. Default: by the address it listens on.
        registration_token: What the load balancer wants to see of those who register, or empty.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    service_name: Annotated[str, Field(min_length=1, max_length=100)] = "service"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    log_level: Annotated[Level, BeforeValidator(_lower)] = "info"
    redis_addr: str = ""
    redis_sentinel: str = ""
    redis_sentinel_password: SecretStr = SecretStr("")
    redis_password: SecretStr = SecretStr("")
    redis_db: Annotated[int, Field(ge=0)] = 0
    circuit_breaker_failure_threshold: Annotated[int, Field(ge=1)] = 5
    retry_max_attempts: Annotated[int, Field(ge=1)] = 3
    timeout_duration: Duration = 30.0
    bulkhead_size: Annotated[int, Field(ge=1)] = 100
    shutdown_delay: Pause = 0.0
    shutdown_grace: Duration = 25.0
    startup_timeout: Pause = 10.0
    health_interval: Duration = 30.0
    load_balancer_url: Annotated[str, OfStack("load-balancer")] = ""
    advertise_url: str = ""
    registration_token: SecretStr = SecretStr("")

    @field_validator("redis_addr")
    @classmethod
    def _of_a_redis(cls, value: str) -> str:
        if value:
            redis_addresses("it", value)
        return value

    @field_validator("load_balancer_url")
    @classmethod
    def _by_http(cls, value: str) -> str:
        return value if value in _NOWHERE else http_url("it", value)

    @field_validator("advertise_url")
    @classmethod
    def _of_this_process(cls, value: str) -> str:
        if value:
            http_origin("it", value)
        return value

    _found: dict[str, str] = PrivateAttr(default_factory=dict[str, str])
    _unknown: dict[str, str | None] = PrivateAttr(default_factory=dict[str, str | None])

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.shutdown_delay > self.shutdown_grace:
            raise ValueError("SHUTDOWN_DELAY must be at most SHUTDOWN_GRACE")
        if self.redis_sentinel and not self.redis_addr:
            raise ValueError("REDIS_SENTINEL is told without REDIS_ADDR, where its Sentinels are")
        if self.redis_db and not self.redis_sentinel and "," in self.redis_addr:
            raise ValueError("REDIS_DB must be 0 for a Cluster, which several in REDIS_ADDR are")
        return self

    @classmethod
    def read(cls, service: str, variables: Mapping[str, str] | None = None) -> Self:
        """Return the settings of a service.

        Args:
            service: Its name, unless `SERVICE_NAME` says otherwise.
            variables: Where to look. Default: the environment of the process.

        Raises:
            ConfigurationError: A value breaks a rule. It says which and why, and never the value.
            TypeError, ValueError: `service` is no name.
        """
        environment = Environment(
            text("service", service),
            os.environ if variables is None else variables,
            of_stack=cls._of_stack(),
        )
        found = environment.read(cls.model_fields)
        found.setdefault("service_name", service)
        try:
            settings: Self = cls.model_validate(cls._parts_of_lists(found))
        except ValidationError as error:
            raise ConfigurationError(_broken(error, environment)) from None
        settings._found = environment.found
        settings._unknown = environment.unknown(cls.model_fields)
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - this one
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - reads other names
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a file nobody means in production
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a directory, not a file for each
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and look nowhere else: `read` looks in the environment, under our names."""
        return (init_settings,)

    @classmethod
    def _of_stack(cls) -> dict[str, OfStack]:
        return {
            name: mark
            for name, field in cls.model_fields.items()
            for mark in field.metadata
            if isinstance(mark, OfStack)
        }

    @classmethod
    def _parts_of_lists(cls, found: Mapping[str, str]) -> dict[str, object]:
        """Lists may be written with commas, or as JSON."""
        source = InitSettingsSource(cls, init_kwargs={})
        return {
            name: _listed(value) if source.field_is_complex(cls.model_fields[name]) else value
            for name, value in found.items()
        }

    @property
    def unknown(self) -> dict[str, str | None]:
        """Variables that begin with `UAT_` and mean nothing, each with the name that was probably meant."""
        return dict(self._unknown)

    def effective(self) -> list[Effective]:
        """Return every setting as it holds, without secrets, and where it came from."""
        return [
            Effective(name.upper(), without_password(str(getattr(self, name))), self._source(name))
            for name in type(self).model_fields
        ]

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Show what `effective` shows: a secret may be a part of a URL."""
        return (
            (name, without_password(str(getattr(self, name)))) for name in type(self).model_fields
        )

    def _source(self, field: str) -> str:
        if field in self._found:
            return self._found[field]
        return "argument" if field in self.model_fields_set else "default"


def _listed(value: str) -> object:
    if value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except ValueError:
            return value  # Whose type is then wrong, which is told without the value.
    return [part.strip() for part in value.split(",")]


def _broken(error: ValidationError, environment: Environment) -> dict[str, str]:
    told: dict[str, str] = {}
    for each in error.errors(include_input=False, include_context=False, include_url=False):
        field = str(each["loc"][0]) if each["loc"] else ""
        name = environment.found.get(field, field.upper())
        told[name or "settings"] = each["msg"].removeprefix("Value error, ")
    return told
