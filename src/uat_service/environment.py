"""Environment variables, under the names a service looks for, and where each value was found.

For the field `bulkhead_size` of the service `order-desk`, the first of these that is set:

    ORDER_DESK_BULKHEAD_SIZE        for one service of several that share an environment
    UAT_BULKHEAD_SIZE               for all services of this kind
    BULKHEAD_SIZE                   as the README has it
    UAT_SERVICES__AUTH__URL         last, for a field that says where the service `auth` is (see `OfStack`)

Each of them may end in `_FILE`: then it names a file that holds the value, as secrets of Docker and Kubernetes do.
An empty variable counts as not set. So does a port that is a URL: Kubernetes tells every pod of a service `orders`
`ORDERS_PORT=tcp://10.0.0.7:80`, which is not where it is to listen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uat_service.spelling import meant, shouted

__all__ = ["ConfigurationError", "Environment", "OfStack"]

_FILE = "_FILE"
_OURS = "UAT_"
# Set by whoever starts services, for them or for programs beside them.
_STACK = "UAT_SERVICES__"
_RESERVED = ("UAT_LIFELINE_FD", _STACK, "UAT_STACK_")
_LARGEST = 1 << 20
_LINK = re.compile(r"(tcp|udp|sctp)://")


class ConfigurationError(ValueError):
    """A service cannot start with the settings it was given.

    The message has a line for each wrong setting, with its name and the rule it breaks. It never has a value: what
    is wrong may be a secret in the wrong place.

    Attributes:
        problems: Rules that are broken, by the name of the variable or field.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("\n".join(f"{name}: {rule}" for name, rule in self.problems.items()))

    def __reduce__(self) -> tuple[type["ConfigurationError"], tuple[dict[str, str]]]:
        return type(self), (self.problems,)


@dataclass(frozen=True, slots=True)
class OfStack:
    """Mark a setting that says where a service is: `Annotated[str, OfStack("auth")]`. Its stack knows.

    Attributes:
        service: Name of the service in the stack.
    """

    service: str

    @property
    def variable(self) -> str:
        """The name under which the orchestrator says it."""
        return f"{_STACK}{shouted(self.service)}__URL"


class Environment:
    """What a process was given, as one service sees it.

    Args:
        service: Name of the service.
        variables: The environment: `os.environ`, or one of a test.
        of_stack: Fields that a stack knows when nobody else has said.

    Attributes:
        service: Its name.
        found: Where each value came from, by field: the name of the variable.
    """

    def __init__(
        self,
        service: str,
        variables: Mapping[str, str],
        *,
        of_stack: Mapping[str, OfStack] | None = None,
    ) -> None:
        self.found: dict[str, str] = {}
        self.service = service
        self._prefix = shouted(service) + "_"
        self._of_stack = of_stack or {}
        self._variables = {
            name.upper(): value
            for name, value in variables.items()
            if value and not (name.upper().endswith("_PORT") and _LINK.match(value))
        }

    def read(self, fields: Mapping[str, object]) -> dict[str, str]:
        """Return the values that are set, by field.

        Raises:
            ConfigurationError: A name is given twice, directly and as a file, or a file cannot be read.
        """
        values: dict[str, str] = {}
        problems: dict[str, str] = {}
        for field in fields:
            for name in self._names(field):
                try:
                    value = self._value(name)
                except ValueError as error:
                    problems[self._given(name)] = str(error)
                    break
                if value is not None:
                    values[field], self.found[field] = value
                    break
        if problems:
            raise ConfigurationError(problems)
        return values

    def unknown(self, fields: Mapping[str, object]) -> dict[str, str | None]:
        """Return names that begin with `UAT_` and mean nothing, each with the name that was probably meant."""
        known = [f"{_OURS}{field.upper()}" for field in fields]
        known += [name + _FILE for name in known]
        return {
            name: meant(name, known)
            for name in sorted(self._variables)
            if name.startswith(_OURS) and not name.startswith(_RESERVED) and name not in known
        }

    def _names(self, field: str) -> Iterator[str]:
        name = field.upper()
        yield self._prefix + name
        # An UAT_SERVICE_NAME would be the same name for all of them, and is somebody's habit all the same.
        yield _OURS + name
        yield name
        if field in self._of_stack:
            yield self._of_stack[field].variable

    def _given(self, name: str) -> str:
        """Return the name that somebody has set: that of the value, or of its file."""
        return name if name in self._variables else name + _FILE

    def _value(self, name: str) -> tuple[str, str] | None:
        value, path = self._variables.get(name), self._variables.get(name + _FILE)
        if path is None:
            return None if value is None else (value, name)
        if value is not None:
            raise ValueError(f"must not be given together with {name}{_FILE}")
        return _content(path), name + _FILE


def _content(path: str) -> str:
    """Return what is in a file of a secret, less the line ending that editors and `echo` leave."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            text = file.read(_LARGEST)
    except (OSError, UnicodeError, ValueError) as error:
        raise ValueError(f"names a file that cannot be read ({type(error).__name__})") from None
    return text.removesuffix("\n").removesuffix("\r")
