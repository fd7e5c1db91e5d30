"""Durations as people write them: `30s`, `250ms`, `2m`, `1m30s`."""

import re
from typing import Annotated

from pydantic import BeforeValidator

__all__ = ["Duration", "Pause", "parsed"]

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 10 * 365 * 86400.0
_RULE = "must be a duration like 30s, 250ms, 2m or 1m30s"


def parsed(value: object) -> float:
    """Return a duration in seconds; a bare number is seconds already.

    Raises:
        ValueError: It is none, or longer than ten years. The message does not repeat it: it may be a secret that
            went to the wrong place.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and _WHOLE.fullmatch(text := value.strip().lower()):
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        seconds = float(value)
    else:
        raise ValueError(_RULE)
    if not 0 <= seconds <= _LONGEST:  # False for NaN too
        raise ValueError(_RULE)
    return seconds


def _above_zero(value: object) -> float:
    seconds = parsed(value)
    if seconds == 0:
        raise ValueError(f"{_RULE}, above 0")
    return seconds


Duration = Annotated[float, BeforeValidator(_above_zero)]
"""Seconds above 0, in a field of settings."""

Pause = Annotated[float, BeforeValidator(parsed)]
"""Seconds, 0 or more, in a field of settings."""
