"""How names are spelled: in environment variables, and by people who mistyped them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["hint", "meant", "shouted"]


def shouted(name: str) -> str:
    """Return a name as environment variables have it: `order-desk` is `ORDER_DESK`."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def hint(name: str, known: Iterable[str]) -> str:
    """Return a question to put after a name that is not known, or nothing."""
    close = meant(name, known)
    return "" if close is None else f" (did you mean `{close}`?)"
