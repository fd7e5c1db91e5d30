"""Draw what simulations found, one line for each. The only place that needs matplotlib."""

# matplotlib hands most of its keyword arguments on untyped, so nearly every call of it is "partially unknown".
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from uat_resilience.simulate.figures import Bucket, Figures

try:
    import matplotlib as mpl
    from matplotlib.figure import Figure
except ImportError as missing:
    raise ImportError(
        "drawing needs matplotlib: pip install 'uat-resilience[simulate]'"
    ) from missing

__all__ = ["draw"]

Curve = Callable[[Bucket], float | None]

_PANELS: tuple[tuple[str, Curve], ...] = (
    ("answered in time, per s", lambda bucket: bucket.goodput),
    ("calls of the dependency, per s", lambda bucket: bucket.calls / bucket.seconds),
    ("calls in its queue", lambda bucket: float(bucket.queue)),
    ("p99 of the answers, s", lambda bucket: bucket.latencies.p99),
)
_COLOURS = ("#c1121f", "#1d5fa8", "#2a7f3f", "#8a4fbf", "#b06a00", "#555555")
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "uat-resilience",  # The same picture is the same file.
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(
    results: Sequence[Figures],
    path: str | Path,
    *,
    title: str = "",
    shaded: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw results above each other over one time axis.

    Args:
        results: At least one; each is a line, named after its title.
        path: Where to; the suffix says as what, such as `.svg` or `.png`.
        title: What stands above it.
        shaded: Stretches of time to shade: when the dependency was not well.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8.0, 1.7 * len(_PANELS)), layout="constrained")
        panels = figure.subplots(len(_PANELS), 1, sharex=True)
        for axes, (label, curve) in zip(panels, _PANELS, strict=True):
            for number, result in enumerate(results):
                shown = [bucket for bucket in result.buckets if bucket.at < result.duration]
                # A stretch without an answer has no latency: the line is broken there.
                values = [float("nan") if (y := curve(b)) is None else y for b in shown]
                colour = _COLOURS[number % len(_COLOURS)]
                at = [bucket.at for bucket in shown]
                axes.plot(at, values, label=result.title, color=colour, linewidth=1.2)
            for start, end in shaded:
                axes.axvspan(start, end, color="#999999", alpha=0.2, linewidth=0)
            axes.set_title(label, loc="left", fontsize=9)
            axes.set_ylim(bottom=0)
        lines, names = panels[0].get_legend_handles_labels()
        figure.legend(lines, names, frameon=False, ncols=6, loc="outside lower center")
        panels[-1].set_xlabel("seconds")
        if title:
            figure.suptitle(title, fontsize=10)
        figure.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)
