"""Functions by name, and what they are called with."""

from dataclasses import dataclass

from uat_platform.metrics_aggregator.promql.nodes import Shape

__all__ = ["SIGNATURES", "Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and yields.

    Attributes:
        takes: Shapes of its arguments.
        optional: How many of the last ones may be left out, or -1 when the last one may be repeated.
        yields: Shape of its value.
    """

    takes: tuple[Shape, ...]
    optional: int = 0
    yields: Shape = Shape.VECTOR


_S, _T, _V, _R = Shape.SCALAR, Shape.STRING, Shape.VECTOR, Shape.RANGE
_OF_VECTOR = (
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh "
    "sort sort_desc sqrt tan tanh timestamp"
)
_OF_RANGE = (
    "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time "
    "max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
)
_OF_TIME = "day_of_month day_of_week day_of_year days_in_month hour minute month year"

SIGNATURES = {
    **{name: Signature((_V,)) for name in _OF_VECTOR.split()},
    **{name: Signature((_R,)) for name in _OF_RANGE.split()},
    **{name: Signature((_V,), optional=1) for name in _OF_TIME.split()},
    "clamp": Signature((_V, _S, _S)),
    "clamp_max": Signature((_V, _S)),
    "clamp_min": Signature((_V, _S)),
    "histogram_quantile": Signature((_S, _V)),
    "holt_winters": Signature((_R, _S, _S)),
    "label_join": Signature((_V, _T, _T, _T), optional=-1),
    "label_replace": Signature((_V, _T, _T, _T, _T)),
    "pi": Signature((), yields=_S),
    "predict_linear": Signature((_R, _S)),
    "quantile_over_time": Signature((_S, _R)),
    "round": Signature((_V, _S), optional=1),
    "scalar": Signature((_V,), yields=_S),
    "time": Signature((), yields=_S),
    "vector": Signature((_S,)),
}
"""All functions of Prometheus 2.42 but those for native histograms."""
