"""Read how long a server asks its callers to stay away: the default of `Retry(retry_after=…)`."""

from sys import float_info

from uat_resilience.clock import wall_time

__all__ = ["asked_pause", "sane"]


def asked_pause(error: object) -> float | None:
    """Return the seconds that an error, or a result judged as one, asks for; or None.

    Looked for in this order: the error's own `retry_after` (the refusals of this library have one), and
    the `Retry-After` header of its `response` or of itself (httpx, requests and aiohttp have one of the two),
    in seconds or as an HTTP date (RFC 9110, section 10.2.3). What is garbage, past, zero, negative or not
    finite counts as not said.
    """
    own = sane(getattr(error, "retry_after", None))
    if own is not None:
        return own
    for source in (getattr(error, "response", None), error):
        get = getattr(getattr(source, "headers", None), "get", None)
        if callable(get):
            said = get("Retry-After") or get("retry-after")  # not every mapping ignores the case
            if isinstance(said, str):
                return _read_header(said)
    return None


def sane(value: object) -> float | None:
    """Return a number of seconds that is finite and above 0, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # False for NaN too, and `math.isfinite` would overflow on a whole number that is beyond floats.
    return float(value) if 0 < value <= float_info.max else None


def _read_header(said: str) -> float | None:
    if not said.isascii() or "_" in said:  # Python reads these as numbers; no server means them.
        return None
    try:
        return sane(float(said))
    except ValueError:
        pass  # Not a number, so a date or nonsense.
    # Imported here, as they would double our import time.
    from datetime import UTC  # noqa: PLC0415 - see above
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - see above

    try:
        date = parsedate_to_datetime(said)
        if date.tzinfo is None:  # The oldest format leaves the zone out; all HTTP dates are in UTC.
            date = date.replace(tzinfo=UTC)
        return sane(date.timestamp() - wall_time())
    except (ValueError, OverflowError):
        return None
