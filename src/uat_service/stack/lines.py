"""Lines out of what a process writes, whatever it writes."""

import re

__all__ = ["LONGEST", "Lines", "clean"]

LONGEST = 64 * 1024
"""Bytes of a line. What is longer comes out in pieces."""

# CSI sequences, OSC sequences up to their end, and two-character escapes.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Lines:
    """Cut a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete now, without their ends."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        found = [piece for line in lines for piece in _pieces(bytes(line.removesuffix(b"\r")))]
        while len(rest) >= LONGEST:
            found.append(bytes(rest[:LONGEST]))
            rest = rest[LONGEST:]
        self._rest = bytearray(rest)
        return found

    def end(self) -> list[bytes]:
        """Return what is left when the stream has ended."""
        rest, self._rest = bytes(self._rest), bytearray()
        return [rest] if rest else []


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + LONGEST] for at in range(0, len(line), LONGEST)] or [b""]


def clean(line: bytes) -> str:
    """Return a line as text that does nothing to a terminal: valid, with no escapes or control characters."""
    text = _ANSI.sub("", line.decode("utf-8", "replace"))
    # A progress bar returns to the start of its line; what it wrote last is what would be seen.
    text = text.rstrip("\r").rpartition("\r")[2].expandtabs(4)
    return _CONTROL.sub("�", text)
