"""Read settings from nested tables; say of a wrong one where it stands, what the rule is, and what was given."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import TypeVar, cast

__all__ = ["ScenarioError", "Table", "make"]

T = TypeVar("T")

Kinds = Mapping[str, Callable[..., T]]
"""What can be made, by the name it goes by in a file."""


class ScenarioError(ValueError):
    """A scenario cannot be run as it is written. The message names the key, the rule and the value."""


class Table:
    """A table of a file, and where it stands there.

    Args:
        values: What the file says.
        path: Where, such as `workload.arrivals`; empty for the file itself.
    """

    def __init__(self, values: object, path: str = "") -> None:
        self._path = path
        if not isinstance(values, dict):
            raise ScenarioError(f"{path} must be a table, not {values!r}")
        self._values = cast("dict[str, object]", values)

    def only(self, known: Mapping[str, bool]) -> None:
        """Check the keys: those that must be there are True.

        Raises:
            ScenarioError: One is missing, or is none of these.
        """
        for key in self._values:
            if key not in known:
                raise ScenarioError(
                    f"{self.path(key)} must be one of the keys {', '.join(sorted(known))}, not {key!r}"
                )
        for key, needed in known.items():
            if needed and key not in self._values:
                raise ScenarioError(f"{self.path(key)} must be given")

    def path(self, key: str) -> str:
        """Return where a key of this table stands."""
        return f"{self._path}.{key}" if self._path else key

    def table(self, key: str) -> "Table":
        """Return a table inside this one."""
        return Table(self._values.get(key), self.path(key))

    def tables(self, key: str) -> "list[Table]":
        """Return a list of tables inside this one; none when the key is not there."""
        values = self._values.get(key, [])
        if not isinstance(values, list):
            raise ScenarioError(f"{self.path(key)} must be a list of tables, not {values!r}")
        listed = cast("list[object]", values)
        return [Table(each, f"{self.path(key)}[{n}]") for n, each in enumerate(listed)]

    def made(self, kinds: Kinds[T]) -> T:
        """Make what the key `kind` names, out of the other keys.

        Raises:
            ScenarioError: There is no such kind, or it cannot be made so.
        """
        kind = self._values.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            raise ScenarioError(
                f"{self.path('kind')} must be one of {', '.join(sorted(kinds))}, not {kind!r}"
            )
        return self.making(kinds[kind], beside=("kind",))

    def making(self, maker: Callable[..., T], *, beside: tuple[str, ...] = (), **more: object) -> T:
        """Call `maker` with the keys of this table by name, but for those beside, and with more.

        Raises:
            ScenarioError: A key is missing, unknown, or not what `maker` takes.
        """
        parameters = signature(maker).parameters
        known = {
            name: parameter.default is Parameter.empty
            for name, parameter in parameters.items()
            if name not in more
        }
        self.only(known | dict.fromkeys(beside, False))
        arguments = {key: value for key, value in self._values.items() if key not in beside}
        try:
            return maker(**arguments, **more)
        except (TypeError, ValueError) as error:
            # The messages of all constructors begin with the argument.
            raise ScenarioError(self.path(str(error))) from error


def make(argument: str, value: object, kinds: Kinds[T]) -> T:
    """Make what a table that was given as an argument describes."""
    return Table(value, argument).made(kinds)
