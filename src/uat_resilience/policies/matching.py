"""Which exceptions `on` and `ignore` name (a type, a tuple of types, a predicate), and what an error then says."""

from collections.abc import Callable
from inspect import signature
from typing import cast

from uat_resilience._core.arguments import callback
from uat_resilience.errors import CallRefusedError, MisusedCallError, ResilienceError

__all__ = ["ExceptionSpec", "Judgement", "Matcher", "says_nothing"]

ExceptionSpec = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""What `on` and `ignore` take."""

_GROUP: type[Exception] = ExceptionGroup


class Matcher:
    """Tell whether an exception is one of those named.

    An exception group matches when every leaf does, or when a group type itself is named. A predicate never
    sees a group, only leaves.

    Args:
        argument: What it is called in messages.
        spec: The exceptions.
        refusals: True where a refusal is an error like any other. Otherwise it matches only when its type, or
            the family `ResilienceError`, is named, and no predicate sees it: a call that was never made is no
            failure of the dependency.

    Raises:
        TypeError: The argument is none of the three, or names something that is not an `Exception`.
            Cancellation and exit are never failures, so `BaseException` cannot be named. Or it is a function
            that cannot be a predicate, because it takes no argument or is async.
    """

    __slots__ = ("_groups", "_like_any", "_predicate", "_refusals", "_types")

    def __init__(self, argument: str, spec: ExceptionSpec, *, refusals: bool = False) -> None:
        self._like_any = refusals
        self._predicate: Callable[[Exception], bool] | None = None
        self._types: tuple[type[Exception], ...] = ()
        if isinstance(spec, type):
            self._types = (_check_type(argument, spec),)
        elif isinstance(spec, tuple):
            named = cast("tuple[object, ...]", spec)
            self._types = tuple(_check_type(argument, each) for each in named)
        else:
            self._predicate = _check_predicate(argument, spec)
        self._refusals = tuple(t for t in self._types if issubclass(t, ResilienceError))
        self._groups = tuple(t for t in self._types if issubclass(t, _GROUP))

    @property
    def empty(self) -> bool:
        """True when nothing can ever match."""
        return self._predicate is None and not self._types

    def __call__(self, error: Exception) -> bool:
        """Return True when the exception is one of those named."""
        if isinstance(error, ExceptionGroup):
            group = cast("ExceptionGroup[Exception]", error)  # isinstance leaves the leaves unknown
            return isinstance(group, self._groups) or all(map(self, group.exceptions))
        if isinstance(error, CallRefusedError) and not self._like_any:
            return isinstance(error, self._refusals)
        if isinstance(error, MisusedCallError):
            return False
        if self._predicate is not None:
            return bool(self._predicate(error))
        return isinstance(error, self._types)

    def overlaps(self, other: "Matcher") -> bool:
        """Return False when no exception can match both, but for one made of both their types."""
        mine, theirs = self._types, other._types  # noqa: SLF001 - another of this class
        if not mine or not theirs:  # Of a predicate nobody knows what it matches.
            return not (self.empty or other.empty)
        return any(_within(one, two) or _within(two, one) for one in mine for two in theirs)


class Judgement:
    """Tell what an error says about the dependency.

    Args:
        on: Errors that are its failures.
        ignore: Errors that say nothing. Wins over `on`.

    Raises:
        TypeError: As for `Matcher`.
    """

    __slots__ = ("_ignore", "_on")

    def __init__(self, *, on: ExceptionSpec, ignore: ExceptionSpec) -> None:
        self._on = Matcher("on", on)
        self._ignore = Matcher("ignore", ignore)

    def __call__(self, error: BaseException) -> bool | None:
        """Return True for a failure, False for an answer, None for what says nothing."""
        if not isinstance(error, Exception):
            return None
        if self._ignore(error):
            return None
        if self._on(error):
            return True
        return None if says_nothing(error) else False


def says_nothing(error: BaseException) -> bool:
    """Return True for what tells nothing about the dependency: cancelled, refused, or called wrongly."""
    return not isinstance(error, Exception) or isinstance(
        error, CallRefusedError | MisusedCallError
    )


def _within(narrow: type[Exception], wide: type[Exception]) -> bool:
    """Return whether all of one kind match where the other is named: of refusals only their family does."""
    if issubclass(narrow, CallRefusedError) and not issubclass(wide, ResilienceError):
        return False
    return issubclass(narrow, wide)


def _check_type(argument: str, named: object) -> type[Exception]:
    if isinstance(named, type) and issubclass(named, Exception):
        return named
    if isinstance(named, type) and issubclass(named, BaseException):
        raise TypeError(
            f"{argument} must name subclasses of Exception, not {named.__name__}: "
            "cancellation and exit are never failures"
        )
    raise TypeError(f"{argument} must name exception types, not {named!r}")


def _check_predicate(
    argument: str, predicate: Callable[[Exception], bool]
) -> Callable[[Exception], bool]:
    rule = "an exception type, a tuple of them or a predicate"
    callback(argument, predicate, rule)
    try:
        parameters = signature(predicate)
    except (TypeError, ValueError):  # Some functions written in C do not tell.
        return predicate
    try:
        parameters.bind(Exception())
    except TypeError:
        raise TypeError(
            f"{argument} must be {rule}, not {predicate!r}, which cannot be called with one exception"
        ) from None
    return predicate
