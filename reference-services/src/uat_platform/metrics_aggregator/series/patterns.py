"""Regular expressions that others wrote, in the common part of RE2 and Python.

Prometheus uses RE2, which never takes long. Python's goes back and tries again, so what makes that explode is
refused here: repetition of what itself repeats, references to what was found before, and looking around.
"""

import re
from functools import lru_cache

__all__ = ["compiled"]

_LONGEST = 1_000
_PIECE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[:P<=!a-zA-Z-]*)?|\)|[*+?]\??|\{\d+(?:,\d*)?\}|.",
    re.DOTALL,
)
_REPEATS = re.compile(r"[*+]\??|\{\d+(?:,\d*)?\}")


@lru_cache(maxsize=512)
def compiled(text: str) -> re.Pattern[str]:
    """Return the pattern; a dot stands for any letter, a line's end too.

    Raises:
        ValueError: It is none, or none that is surely quick.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a regular expression must have at most {_LONGEST} letters")
    _check(text)
    try:
        return re.compile(text, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def _check(text: str) -> None:
    """Refuse what RE2 does not know, and repetition within repetition."""
    repeating = [False]
    closed = False
    for piece in _PIECE.findall(text):
        if piece.startswith("("):
            if piece in {"(?=", "(?!", "(?<=", "(?<!"}:
                raise ValueError("a regular expression must not look around")
            repeating.append(False)
            closed = False
        elif piece == ")":
            closed = repeating.pop() if len(repeating) > 1 else False
            repeating[-1] = repeating[-1] or closed
        elif _REPEATS.fullmatch(piece):
            if closed:
                raise ValueError("a regular expression must not repeat what itself repeats")
            repeating[-1] = True
        else:
            if len(piece) > 1 and piece[0] == "\\" and piece[1].isdigit() and piece[1] != "0":
                raise ValueError("a regular expression must not refer to what was found before")
            closed = False
