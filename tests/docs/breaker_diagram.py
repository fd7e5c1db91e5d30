"""Draw the states of the breaker from its table of transitions.

Run this file to renew the picture in the documentation; a test compares the two.
"""

from collections.abc import Iterator
from math import hypot
from pathlib import Path

from uat_resilience import BreakerState
from uat_resilience._core.breaker import TRANSITIONS, Move

PICTURE = Path(__file__).parents[2] / "docs" / "policies" / "circuit-breaker.svg"

_WIDTH, _HEIGHT = 150, 44
_ANY = "any state"
_PLACES = {
    BreakerState.CLOSED: (130, 70),
    BreakerState.OPEN: (550, 70),
    BreakerState.HALF_OPEN: (340, 230),
    BreakerState.FORCED_OPEN: (550, 340),
    BreakerState.FORCED_CLOSED: (550, 410),
    _ANY: (130, 375),
}
_SHIFT = 9  # Two arrows between the same two states lie beside each other.

_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 450" role="img" font-family="sans-serif" font-size="14">
<title>States of the circuit breaker</title>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">\
<path d="M0 0 10 5 0 10z"/></marker></defs>
<rect width="680" height="450" rx="8" fill="#fff"/>
{}
</svg>
"""


def edges() -> Iterator[tuple[BreakerState | str, Move, BreakerState]]:
    """Return the arrows; a move that leads to the same state from everywhere is one arrow."""
    for move in Move:
        ways = {old: new for (old, made), new in TRANSITIONS.items() if made is move}
        if set(ways) == set(BreakerState) and len(set(ways.values())) == 1:
            yield _ANY, move, next(iter(ways.values()))
        else:
            yield from ((old, move, new) for old, new in ways.items())


def drawn() -> str:
    """Return the picture as SVG."""
    parts = [_arrow(*edge) for edge in edges()] + [_box(place) for place in _PLACES]
    return _FRAME.format("\n".join(parts))


def _box(place: BreakerState | str) -> str:
    x, y = _PLACES[place]
    label = place.name if isinstance(place, BreakerState) else place
    style = (
        'fill="#eef2f7"' if isinstance(place, BreakerState) else 'fill="#fff" stroke-dasharray="4"'
    )
    return (
        f'<rect x="{x - _WIDTH // 2}" y="{y - _HEIGHT // 2}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" '
        f'stroke="#222" {style}/>'
        f'<text x="{x}" y="{y + 5}" text-anchor="middle">{label}</text>'
    )


def _arrow(old: BreakerState | str, move: Move, new: BreakerState) -> str:
    (x1, y1), (x2, y2) = _PLACES[old], _PLACES[new]
    length = hypot(x2 - x1, y2 - y1)
    along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
    aside_x, aside_y = -along_y * _SHIFT, along_x * _SHIFT
    out = _to_edge((along_x, along_y), (aside_x, aside_y))
    back = _to_edge((-along_x, -along_y), (aside_x, aside_y))
    begin = (x1 + along_x * out + aside_x, y1 + along_y * out + aside_y)
    end = (x2 - along_x * back + aside_x, y2 - along_y * back + aside_y)
    anchor, text_x, text_y = _label(begin, end, (aside_x, aside_y))
    return (
        f'<line x1="{begin[0]:.0f}" y1="{begin[1]:.0f}" x2="{end[0]:.0f}" y2="{end[1]:.0f}" '
        f'stroke="#222" marker-end="url(#tip)"/>'
        f'<text x="{text_x:.0f}" y="{text_y:.0f}" text-anchor="{anchor}" font-size="12">{move.name}</text>'
    )


def _label(
    begin: tuple[float, float], end: tuple[float, float], aside: tuple[float, float]
) -> tuple[str, float, float]:
    """Put the name of a move on the outer side of its arrow, at the middle."""
    x, y = (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2
    if abs(aside[0]) < 1:  # A level arrow: its name goes above.
        return "middle", x, y - 8
    side = 1 if aside[0] > 0 else -1
    return ("start" if side > 0 else "end"), x + side * 8, y + (14 if aside[1] > 0 else -4)


def _to_edge(along: tuple[float, float], aside: tuple[float, float]) -> float:
    """Return the way to the edge of a box, from `aside` of its middle, and a little more."""
    ways = [
        (half - off if step > 0 else half + off) / abs(step)
        for half, step, off in zip((_WIDTH / 2, _HEIGHT / 2), along, aside, strict=True)
        if step
    ]
    return min(ways) + 3


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
