"""Conditions on labels, as they stand between the braces of a selector."""

import re
from dataclasses import dataclass, field
from enum import Enum

from uat_platform.metrics_aggregator.series.labels import NAME, Labels
from uat_platform.metrics_aggregator.series.patterns import compiled

__all__ = ["Matcher", "Sign", "matches", "metric_of"]


class Sign(Enum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LIKE = "=~"
    UNLIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition. A label that is not there has the empty value.

    Attributes:
        label: Name of the label.
        sign: How it is compared.
        value: With what; a regular expression has to match all of it.

    Raises:
        ValueError: The regular expression is none.
    """

    label: str
    sign: Sign
    value: str
    _pattern: re.Pattern[str] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        like = self.sign in {Sign.LIKE, Sign.UNLIKE}
        object.__setattr__(self, "_pattern", compiled(self.value) if like else None)

    def accepts(self, value: str) -> bool:
        """Return whether a label with this value is meant."""
        if self._pattern is None:
            return (value == self.value) is (self.sign is Sign.EQUAL)
        return (self._pattern.fullmatch(value) is not None) is (self.sign is Sign.LIKE)

    def __str__(self) -> str:
        """Return it as it is written in a query."""
        text = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.sign.value}"{text}"'


def matches(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    """Return whether labels fulfil all conditions."""
    found = dict(labels)
    return all(each.accepts(found.get(each.label, "")) for each in matchers)


def metric_of(matchers: tuple[Matcher, ...]) -> str | None:
    """Return the one metric that the conditions allow, or None when there may be several."""
    for each in matchers:
        if each.label == NAME and each.sign is Sign.EQUAL:
            return each.value
    return None
