"""The text in which services show their metrics (Prometheus text format 0.0.4), line by line."""

import re
from dataclasses import dataclass

from uat_platform.metrics_aggregator.series.labels import NAME

__all__ = ["Family", "Line", "identity", "parts"]


@dataclass(frozen=True, slots=True)
class Family:
    """What is said of a metric before its samples.

    Attributes:
        name: Of the metric.
        field: `help`, `type` or `unit`.
        text: What is said.
    """

    name: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One sample.

    Attributes:
        series: Name and labels as they are written: the same text is the same series.
        value: Of the sample.
        time: Its own time in milliseconds, or None.
    """

    series: str
    value: float
    time: int | None


def parts(line: str) -> Family | Line | None:
    """Return what a line says, or None for one that is empty or a comment.

    Raises:
        ValueError: It says nothing that makes sense.
    """
    if line.startswith("#"):
        return _family(line)
    # A label's value may hold braces and spaces; behind the last brace there are numbers only.
    end = line.rfind("}") + 1
    if not end:
        head = line.split(None, 1)
        if not head:
            return None
        series, rest = head[0], (head[1] if len(head) > 1 else "")
    else:
        series, rest = line[:end].strip(), line[end:]
    numbers = rest.split()
    if not 1 <= len(numbers) <= 2 or "_" in rest:  # noqa: PLR2004 - a value, and perhaps a time
        raise ValueError(f"no sample: {line[:100]!r}")
    time = int(numbers[1]) if len(numbers) > 1 else None
    return Line(series, float(numbers[0]), time)


def _family(line: str) -> Family | None:
    words = line.split(None, 3)
    if len(words) < 3 or words[1] not in {"HELP", "TYPE", "UNIT"}:  # noqa: PLR2004 - `# HELP name`
        return None
    text = "".join(words[3:4])
    return Family(words[2], words[1].lower(), text.replace("\\n", "\n").replace("\\\\", "\\"))


_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_PAIR = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)', re.ASCII | re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def identity(series: str) -> dict[str, str]:
    """Return the labels of a series, its name among them.

    Raises:
        ValueError: It is not written as one.
    """
    name, brace, rest = series.partition("{")
    name = name.strip()
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"no name of a metric: {name[:100]!r}")
    if brace and not rest.endswith("}"):
        raise ValueError(f"no end of labels: {rest[:100]!r}")
    labels = {NAME: name}
    inside = rest.removesuffix("}").strip() if brace else ""
    at = 0
    while at < len(inside):
        match = _PAIR.match(inside, at)
        if match is None or match[1] in labels:
            raise ValueError(f"no labels: {inside[:100]!r}")
        labels[match[1]] = _ESCAPE.sub(_meant, match[2]) if "\\" in match[2] else match[2]
        at = match.end()
    return labels


def _meant(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1] if match[1] in '\\"' else match[0]
