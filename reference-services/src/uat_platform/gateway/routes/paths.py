"""Paths as they come over the wire, compared without being changed.

Rules are compared with a canonical form, in which `%61` is `a`; what is sent on is what came, but for the prefix
that a route replaces. `%2F` is a letter of a segment and no slash.
"""

import re

from uat_service.proxy import RefusedRequestError

__all__ = ["after", "canonical"]

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical(raw: bytes) -> bytes:
    """Return a path as rules see it.

    Raises:
        RefusedRequestError: It has a segment `.` or `..`: who resolves it later would end up elsewhere than we do.
    """
    path = _ESCAPE.sub(_decoded, raw) if b"%" in raw else raw
    if b"/." in path and not {b".", b".."}.isdisjoint(path.split(b"/")):
        raise RefusedRequestError("the path has a segment that leads elsewhere")
    return path


def after(raw: bytes, segments: int) -> bytes:
    """Return what follows so many segments of a path, with the slash in front of it, or nothing."""
    place = 0
    for _ in range(segments):
        place = raw.find(b"/", place + 1)
        if place < 0:
            return b""
    return raw[place:]


def _decoded(escape: re.Match[bytes]) -> bytes:
    code = int(escape[1], 16)
    return bytes((code,)) if code in _UNRESERVED else escape[0].upper()
