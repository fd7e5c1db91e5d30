"""Functions of a range: all that is known of one series within a span."""

from collections.abc import Callable
from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.functions.over_time import (
    OVER_TIME,
    deriv,
    holt_winters,
    predict_linear,
    quantile_over_time,
)
from uat_platform.metrics_aggregator.promql.functions.rates import extrapolated, instantaneous
from uat_platform.metrics_aggregator.series.samples import Samples

__all__ = ["RANGES", "Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """The samples of one series within a span; times are in milliseconds.

    Attributes:
        samples: At least one.
        start: Of the span.
        end: Of the span.
        time: For which it is evaluated: the same as the end unless there is an offset.
    """

    samples: Samples
    start: int
    end: int
    time: int

    def extrapolated(self, *, counter: bool, per_second: bool = False) -> float | None:
        """Return the change from end to end."""
        seconds = (self.end - self.start) / 1000 if per_second else None
        return extrapolated(self.samples, self.start, self.end, counter=counter, seconds=seconds)


Compute = Callable[[Span, list[float]], float | None]
"""Gets a span and the function's other arguments; returns None when there are too few samples."""


def _plain(compute: Callable[[Samples], float]) -> Compute:
    return lambda span, _: compute(span.samples)


_OF_SPAN: dict[str, Compute] = {
    "delta": lambda span, _: span.extrapolated(counter=False),
    "deriv": lambda span, _: deriv(span.samples),
    "holt_winters": lambda span, numbers: holt_winters(span.samples, *numbers),
    "idelta": lambda span, _: instantaneous(span.samples, rate=False),
    "increase": lambda span, _: span.extrapolated(counter=True),
    "irate": lambda span, _: instantaneous(span.samples, rate=True),
    "predict_linear": lambda span, numbers: predict_linear(span.samples, span.time, numbers[0]),
    "quantile_over_time": lambda span, numbers: quantile_over_time(span.samples, numbers[0]),
    "rate": lambda span, _: span.extrapolated(counter=True, per_second=True),
}

RANGES: dict[str, Compute] = {
    **{name: _plain(compute) for name, compute in OVER_TIME.items()},
    **_OF_SPAN,
}
"""All of them, by name."""
