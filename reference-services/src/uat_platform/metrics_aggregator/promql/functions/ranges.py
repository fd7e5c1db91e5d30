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


def _plain(compute: Callable[[Samples], float]) -> Callable[..., float | None]:
    return lambda span: compute(span.samples)


RANGES: dict[str, Callable[..., float | None]] = {
    **{name: _plain(compute) for name, compute in OVER_TIME.items()},
    "delta": lambda span: span.extrapolated(counter=False),
    "deriv": lambda span: deriv(span.samples),
    "holt_winters": lambda span, level, slope: holt_winters(span.samples, level, slope),
    "idelta": lambda span: instantaneous(span.samples, rate=False),
    "increase": lambda span: span.extrapolated(counter=True),
    "irate": lambda span: instantaneous(span.samples, rate=True),
    "predict_linear": lambda span, seconds: predict_linear(span.samples, span.time, seconds),
    "quantile_over_time": lambda span, rank: quantile_over_time(span.samples, rank),
    "rate": lambda span: span.extrapolated(counter=True, per_second=True),
}
"""By name; each is given a span and the other arguments, and returns None when there are too few samples."""
