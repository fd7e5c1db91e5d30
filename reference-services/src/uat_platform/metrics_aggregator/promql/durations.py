"""Durations as Prometheus writes them: `5m`, `1h30m`, `1d`, always in milliseconds here."""

import re

__all__ = ["UNITS", "duration", "spelled"]

UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_WHOLE = re.compile("".join(rf"(?:(\d+){unit})?" for unit in UNITS), re.ASCII)
_MOST = 2**53


def duration(text: str) -> int:
    """Return how many milliseconds a duration is.

    Raises:
        ValueError: It is none, is empty, or is too long.
    """
    found = _WHOLE.fullmatch(text)
    if found is None or not text:
        raise ValueError(f"not a valid duration string: {text!r}")
    total = sum(
        int(amount) * size
        for amount, size in zip(found.groups(), UNITS.values(), strict=True)
        if amount
    )
    if total > _MOST:
        raise ValueError("duration out of range")
    return total


def spelled(milliseconds: int) -> str:
    """Return a duration as it is written in a query."""
    if milliseconds == 0:
        return "0s"
    parts: list[str] = []
    for unit, size in UNITS.items():
        # Years and weeks only when nothing is left over, as Prometheus does.
        if unit in {"y", "w", "d"} and milliseconds % size:
            continue
        amount, milliseconds = divmod(milliseconds, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)
