"""Forms that a text must have, and what they are in words.

    Name = Annotated[str, msgspec.Meta(pattern=form(r"^[a-z]{1,20}$", "1 to 20 small letters"))]

The schema has the expression, for programs; a refusal has the words, for people.
"""

__all__ = ["form", "in_words"]

# Whatever checks a form names it by its expression, and by nothing else.
_WORDS: dict[str, str] = {}
_OTHERS = ("Expected `str` matching regex ", "String should match pattern ")


def form(expression: str, words: str) -> str:
    r"""Return a regular expression for a `pattern`, and remember what it says.

    At its end stands `$(?!\n)` instead of `$`, which Python lets match before a last line ending, too. pydantic
    needs `regex_engine="python-re"` for that.

    Args:
        expression: Begins with `^` and ends with `$`.
        words: What a text must be: the end of a sentence that begins with "must be".

    Raises:
        ValueError: It could match in the middle of a text.
    """
    if not expression.startswith("^") or not expression.endswith("$"):
        raise ValueError(f"expression must begin with ^ and end with $, not be {expression}")
    expression += r"(?!\n)"
    for shown in (f"{_OTHERS[0]}{expression!r}", f"{_OTHERS[1]}'{expression}'"):
        _WORDS[shown] = f"must be {words}"
    return expression


def in_words(message: str) -> str:
    """Return what msgspec or pydantic says is wrong, without the expression of a form."""
    if not message.startswith(_OTHERS):
        return message
    shown, at, place = message.partition(" - at `")
    return _WORDS.get(shown, "must have another form") + at + place
