"""What a stack is made of: the tables of a `stack.toml`, with defaults filled in and each value checked."""

import re
import shlex
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from uat_service.duration import Duration
from uat_service.spelling import shouted

__all__ = ["REDIS", "Service", "Stack", "port_variable"]

REDIS = "redis"
"""A name that may be needed without being described: a Redis, started if there is none."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_APP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(\))?", re.ASCII)
_FD = "{fd}"
_OWN_FD = "{own_fd}"


def port_variable(name: str) -> str:
    """Return the variable that goes before the port of a service in the file."""
    return f"{shouted(name)}_PORT"


def _words(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Service(_Table):
    """One service of a stack.

    Attributes:
        name: What others call it.
        app: The application, as `module:name`; served by `python -m uat_service.serve`.
        command: What to run instead of `app`, for anything that is no Python application. `{fd}` stands for the
            listening socket, `{port}` for its port, `{own_fd}` for a second socket that no other replica shares,
            and `{python}` for the interpreter.
        port: Where it listens; 0 for any that is free, None for a service that does not listen.
        needs: Services that must be ready before it starts.
        optional_needs: Services that are started before it, and may fail.
        health: The path that answers 200 once it is ready.
        env: Variables of its environment.
        watch: Files and directories that concern it; with `--reload` it is restarted when one is saved.
        replicas: How many processes share its port.
        grace: Seconds in which it may finish what it has begun when it is stopped.
        start_within: Seconds in which it must be ready, and in which what it needs must be.
    """

    name: str
    app: str | None = None
    command: Annotated[tuple[str, ...] | None, BeforeValidator(_words)] = None
    port: Annotated[int | None, Field(ge=0, le=65535)] = None
    needs: tuple[str, ...] = ()
    optional_needs: tuple[str, ...] = ()
    health: str | None = None
    env: dict[str, str] = Field(default_factory=dict)
    watch: tuple[str, ...] = ()
    replicas: Annotated[int, Field(ge=1, le=64)] = 1
    grace: Duration = 30.0
    start_within: Duration = 60.0

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("must be made of small letters, digits and single hyphens")
        return name

    @field_validator("app")
    @classmethod
    def _check_app(cls, app: str | None) -> str | None:
        if app is not None and not _APP.fullmatch(app):
            raise ValueError("must be written as module:name")
        return app

    @field_validator("health")
    @classmethod
    def _check_health(cls, path: str | None) -> str | None:
        if path is not None and not path.startswith("/"):
            raise ValueError("must be a path that begins with /")
        return path

    @model_validator(mode="after")
    def _check_all(self) -> Self:
        if (self.app is None) == (not self.command):
            raise ValueError("must have either an app or a command")
        if self.app is not None and self.port is None:
            raise ValueError("has an app, so it must have a port")
        if self.health is not None and self.port is None:
            raise ValueError("has a health path, so it must have a port")
        if self.command and self.port is None and _FD in " ".join(self.command):
            raise ValueError("has {fd} in its command, so it must have a port")
        if self.command and self.inherits and self.health is None:
            # A connection to a socket that we own succeeds from the first moment on, so it proves nothing.
            raise ValueError("has {fd} in its command, so it must have a health path")
        if self.replicas > 1 and self.port is not None and not self.inherits:
            raise ValueError("has replicas, so its command must take its socket as {fd}")
        if self.command and _OWN_FD in " ".join(self.command) and not self.inherits:
            raise ValueError("has {own_fd} in its command, so it must take {fd}, too")
        return self

    @property
    def inherits(self) -> bool:
        """Whether it is given a listening socket, instead of making one."""
        return self.port is not None and (
            self.app is not None or _FD in " ".join(self.command or ())
        )

    @property
    def owns(self) -> bool:
        """Whether each of its processes is given a socket of its own, too, and can be asked there by itself."""
        told = self.app is not None and self.replicas > 1
        return told or _OWN_FD in " ".join(self.command or ())

    @property
    def ready_path(self) -> str | None:
        """The path that tells whether it is ready; None when there is nothing to ask."""
        return self.health or ("/health/ready" if self.app is not None else None)

    @property
    def instances(self) -> list[str]:
        """The names of its processes: its own, or its own with a number."""
        if self.replicas == 1:
            return [self.name]
        return [f"{self.name}-{number}" for number in range(1, self.replicas + 1)]


class Stack(_Table):
    """Services that run together.

    Attributes:
        name: What the stack is called.
        host: The address all of them listen on.
        env: Variables for all of them.
        watch: Files and directories that concern all of them.
        health_interval: Seconds between two looks at a service that is ready.
        services: The services by name, as they stand in the file.
    """

    name: str = "stack"
    host: str = "127.0.0.1"
    env: dict[str, str] = Field(default_factory=dict)
    watch: tuple[str, ...] = ()
    health_interval: Duration = 30.0
    services: dict[str, Service]
