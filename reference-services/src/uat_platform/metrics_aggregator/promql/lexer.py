"""A query as a row of tokens."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError

__all__ = ["Kind", "Token", "tokens", "unquoted"]


class Kind(Enum):
    """What a token is."""

    NUMBER = auto()
    DURATION = auto()
    STRING = auto()
    WORD = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: What it is.
        text: As it is written.
        at: Where, from 0.
    """

    kind: Kind
    text: str
    at: int

    @property
    def lower(self) -> str:
        """The text in small letters: key words may be written in any."""
        return self.text.lower()


_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|\#[^\n]*)
  | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
  | (?P<number>0[xX][0-9a-fA-F]+(?!\w)|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
  | (?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@:])
    """,
    re.VERBOSE | re.ASCII,
)


def tokens(text: str) -> list[Token]:
    """Return the tokens of a query, with an `END` behind them.

    Raises:
        SyntaxIsWrongError: Something in it is no token.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        # A range like `[5m:1m]` is two durations: a colon begins no word there.
        if match is None:
            raise SyntaxIsWrongError(f"unexpected character: {text[at]!r}", at=at)
        kind = match.lastgroup or "skip"
        if kind == "word" and match[0].startswith(":") and _within_range(found):
            found.append(Token(Kind.SIGN, ":", at))
            at += 1
            continue
        if kind != "skip":
            found.append(Token(Kind[kind.upper()], match[0], at))
        at = match.end()
    found.append(Token(Kind.END, "", len(text)))
    return found


def _within_range(found: list[Token]) -> bool:
    match found[-2:]:
        case [Token(text="["), Token(kind=Kind.DURATION)]:
            return True
        case _:
            return False


_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|$))",
    re.DOTALL,
)
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unquoted(token: Token) -> str:
    """Return the text that a string stands for, with Go's escapes.

    Raises:
        SyntaxIsWrongError: There is no such escape.
    """
    body = token.text[1:-1]
    if token.text.startswith("`") or "\\" not in body:
        return body

    def meant(match: re.Match[str]) -> str:
        short, *codes, wrong = match.groups()
        if wrong is not None:
            raise SyntaxIsWrongError(f"unknown escape sequence {match[0]!r}", at=token.at)
        if short is not None:
            return _SHORT.get(short, short)
        hexadecimal, octal, four, eight = codes
        number = int(octal, 8) if octal else int(hexadecimal or four or eight, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - Unicode's
            raise SyntaxIsWrongError(f"no such letter: {match[0]!r}", at=token.at)
        return chr(number)

    return _ESCAPE.sub(meant, body)
