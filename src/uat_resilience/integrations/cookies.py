"""Cookies of many users through one client: keep none.

HTTP clients keep what servers set, and send it with the next request, whoever it is for. A client that serves many
users must not.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy

__all__ = ["no_cookies"]


def no_cookies() -> CookieJar:
    """Return a jar that keeps nothing.

    httpx takes it as an argument, `httpx.AsyncClient(cookies=no_cookies())`; requests as `session.cookies`.

    Cookies that a request brings itself are sent. (aiohttp has one of its own: `aiohttp.DummyCookieJar`.)
    """
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
