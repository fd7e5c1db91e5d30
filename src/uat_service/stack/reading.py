"""Read a `stack.toml`, with what the environment and the command line say otherwise."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from uat_service.spelling import choice, hint
from uat_service.stack.definition import Service, Stack, port_variable
from uat_service.stack.errors import StackError

__all__ = ["Described", "read"]

Tables = dict[str, object]


@dataclass(frozen=True)
class Described:
    """A stack, and where its values come from.

    Attributes:
        stack: The stack.
        file: Its file.
        sources: Where each value comes from that is not the default, by its path such as `services.api.port`.
    """

    stack: Stack
    file: Path
    sources: Mapping[str, str]

    @property
    def directory(self) -> Path:
        """Where paths and modules of the file begin."""
        return self.file.parent


def read(
    file: Path, *, variables: Mapping[str, str], replicas: Mapping[str, int] | None = None
) -> Described:
    """Return the stack that a file describes.

    Args:
        file: The file.
        variables: The environment. `<NAME>_PORT` goes before the port in the file.
        replicas: How many processes, by service; goes before the file.

    Raises:
        StackError: The file cannot be read, or says what it cannot mean.
    """
    tables = _parsed(file)
    services, top = tables.pop("services", {}), tables.pop("stack", {})
    if not isinstance(top, dict):
        raise StackError(f"{file}: stack must be a table")
    if tables:
        named = ", ".join(f"`{key}`" for key in tables)
        raise StackError(f"{file}: unknown key {named}: there are [stack] and [services.NAME]")
    if not isinstance(services, dict) or not services:
        raise StackError(f"{file}: has no service: it needs at least one table [services.NAME]")
    written: Tables = {**cast("Tables", top), "services": _named(cast("Tables", services))}
    sources = dict.fromkeys(_paths(written), file.name)
    sources |= _override(written, variables, replicas or {})
    try:
        stack = Stack.model_validate(written)
    except ValidationError as error:
        raise StackError(*(_told(each, sources, file) for each in error.errors())) from None
    return Described(stack, file.absolute(), sources)


def _parsed(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "go to the directory that has one, or name it with `uat --stack FILE`"
        raise StackError(f"{file}: there is no such file: {remedy}") from None
    except OSError as error:
        raise StackError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StackError(f"{file}: is no TOML: {error}") from None


def _named(services: Tables) -> Tables:
    return {
        name: {**cast("Tables", table), "name": name} if isinstance(table, dict) else table
        for name, table in services.items()
    }


def _paths(tables: Tables) -> list[str]:
    """Return where each value stands."""
    found: list[str] = []
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            found += [f"{key}.{path}" for path in _paths(cast("Tables", value))]
        else:
            found.append(key)
    return [path for path in found if not re.fullmatch(r"services\.[^.]+\.name", path)]


def _override(
    written: Tables, variables: Mapping[str, str], replicas: Mapping[str, int]
) -> dict[str, str]:
    sources: dict[str, str] = {}
    services = cast("Tables", written["services"])
    for name, table in services.items():
        variable = port_variable(name)
        if isinstance(table, dict) and "port" in table and variables.get(variable):
            table["port"] = variables[variable]
            sources[f"services.{name}.port"] = variable
    for name, number in replicas.items():
        table = services.get(name)
        if not isinstance(table, dict):
            raise StackError(
                f"--replicas {name}={number}: there is no service `{name}`{choice(name, services)}"
            )
        table["replicas"] = number
        sources[f"services.{name}.replicas"] = "--replicas"
    return sources


def _told(error: ErrorDetails, sources: Mapping[str, str], file: Path) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{sources.get(where, file.name)}: {where}: {_rule(error, where)}"


def _rule(error: ErrorDetails, where: str) -> str:
    if error["type"] == "extra_forbidden":
        model: type[BaseModel] = Service if where.startswith("services.") else Stack
        return f"unknown key{hint(str(error['loc'][-1]), model.model_fields)}"
    if error["type"] == "tuple_type":
        return 'must be a list, as in ["one", "two"]'
    if error["type"] == "model_type":
        return f"must be a table, as in [{where}]"
    rule = error["msg"].removeprefix("Value error, ")
    return f"{rule[0].lower()}{rule[1:]}"
