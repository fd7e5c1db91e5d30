"""Series in the text that Prometheus reads, for `/federate`."""

from collections.abc import Iterable

from uat_platform.metrics_aggregator.promql.values import number
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, nameless, value_of

__all__ = ["exposed"]

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposed(series: Iterable[tuple[Labels, int, float]]) -> str:
    """Return the text for series with a time in milliseconds and a value each, by the metric's name."""
    lines: list[str] = []
    last = ""
    for labels, time, value in sorted(series, key=lambda each: (value_of(each[0], NAME), each[0])):
        name = value_of(labels, NAME)
        if name != last:
            lines.append(f"# TYPE {name} untyped")
            last = name
        inside = ",".join(f'{each}="{text.translate(_ESCAPES)}"' for each, text in nameless(labels))
        lines.append(f"{name}{{{inside}}} {number(value)} {time}")
    return "".join(f"{line}\n" for line in lines)
