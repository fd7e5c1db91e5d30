"""A query as a tree."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal

from uat_platform.metrics_aggregator.series.matchers import Matcher

__all__ = [
    "Aggregation",
    "Anchor",
    "Binary",
    "Call",
    "Matching",
    "Negation",
    "Node",
    "Number",
    "RangeSelector",
    "Selector",
    "Shape",
    "Subquery",
    "Text",
    "When",
]


class Shape(Enum):
    """What an expression yields, as Prometheus calls it."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "instant vector"
    RANGE = "range vector"


Anchor = int | Literal["start", "end"] | None
"""`@`: a time in milliseconds, or an end of the query's span."""


@dataclass(frozen=True, slots=True)
class When:
    """For which moment an expression holds, if not for the one that is asked for.

    Attributes:
        offset: Milliseconds to go back.
        anchor: Where to start from.
    """

    offset: int = 0
    anchor: Anchor = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    shape: ClassVar[Shape] = Shape.SCALAR


@dataclass(frozen=True, slots=True)
class Text:
    """A text."""

    value: str
    shape: ClassVar[Shape] = Shape.STRING


@dataclass(frozen=True, slots=True, eq=False)
class Selector:
    """The newest sample of all series that fit."""

    matchers: tuple[Matcher, ...]
    when: When = When()
    shape: ClassVar[Shape] = Shape.VECTOR


@dataclass(frozen=True, slots=True, eq=False)
class RangeSelector:
    """The samples of some time, of all series that fit. The selector has no moment of its own."""

    selector: Selector
    range: int
    when: When = When()
    shape: ClassVar[Shape] = Shape.RANGE


@dataclass(frozen=True, slots=True, eq=False)
class Subquery:
    """What an expression yields at several moments.

    Attributes:
        step: Milliseconds between them, or None for the default.
    """

    expression: "Node"
    range: int
    step: int | None = None
    when: When = When()
    shape: ClassVar[Shape] = Shape.RANGE


@dataclass(frozen=True, slots=True, eq=False)
class Negation:
    """The same with the other sign."""

    expression: "Node"

    @property
    def shape(self) -> Shape:
        """What it yields."""
        return self.expression.shape


@dataclass(frozen=True, slots=True)
class Matching:
    """Which elements of two vectors belong together.

    Attributes:
        on: Whether `labels` are those that count, or those that do not.
        labels: Names.
        group: On which side several may belong to one on the other.
        include: Labels that the result takes from the one.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    group: Literal["left", "right"] | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """Two expressions and what is between them.

    Attributes:
        as_bool: Whether a comparison yields 0 or 1 instead of leaving elements out.
        matching: As it was written, or None.
    """

    operator: str
    left: "Node"
    right: "Node"
    as_bool: bool = False
    matching: Matching | None = None

    @property
    def shape(self) -> Shape:
        """What it yields."""
        both = {self.left.shape, self.right.shape}
        return Shape.SCALAR if both == {Shape.SCALAR} else Shape.VECTOR


@dataclass(frozen=True, slots=True, eq=False)
class Aggregation:
    """Many elements made into fewer.

    Attributes:
        by: Whether `labels` are those that are kept, or those that go.
        parameter: What `topk`, `quantile` and `count_values` are told, or None.
    """

    operator: str
    expression: "Node"
    by: bool = True
    labels: tuple[str, ...] = ()
    parameter: "Node | None" = None
    shape: ClassVar[Shape] = Shape.VECTOR


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function of something."""

    function: str
    arguments: tuple["Node", ...]
    shape: Shape


Node = Number | Text | Selector | RangeSelector | Subquery | Negation | Binary | Aggregation | Call
