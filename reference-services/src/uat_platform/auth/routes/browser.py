"""People with a browser: the cookie they are known by, forms from our own pages only, and where they go next.

Forms of other sites do not get here with a session, as the cookie does not come along from there (`SameSite=Lax`).
What a browser says of where a form is from is looked at besides, so nobody is signed in as somebody else either.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import PermissionDeniedException

from uat_platform.auth.accounts.users import User
from uat_platform.auth.parts import Parts
from uat_platform.auth.sessions.session import Session

__all__ = ["go_to", "refuse_other_sites", "session_cookie", "signed_in", "without_prompt"]

_PLAIN, _SECURE = "uat_session", "__Host-uat_session"


async def signed_in(request: Request[Any, Any, Any], parts: Parts) -> tuple[Session, User] | None:
    """Return who is signed in with this browser."""
    cookie = request.cookies.get(_name(parts))
    return None if cookie is None else await parts.sessions.of_cookie(cookie)


def session_cookie(parts: Parts, secret: str) -> Cookie:
    """Return the cookie of a session."""
    return Cookie(
        _name(parts),
        value=secret,
        path="/",
        max_age=int(parts.settings.session_lifetime),
        httponly=True,
        secure=parts.settings.secure,
        samesite="lax",
    )


def refuse_other_sites(request: Request[Any, Any, Any], parts: Parts) -> None:
    """Take forms from our own pages only.

    Raises:
        PermissionDeniedException: The browser says that this one is from somewhere else.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = {_origin(parts.settings.issuer_url), _origin(str(request.base_url))}
    if site not in {None, "same-origin", "none"} or (site is None and origin not in {None, *ours}):
        raise PermissionDeniedException(detail="The form is from another site")


def go_to(location: str) -> Response[str]:
    """Return the answer that sends a browser elsewhere, by GET."""
    told = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response("", status_code=303, headers=told, media_type="text/html")


def without_prompt(query: str) -> str:
    """Return a request that was asked to sign in anew, now that this was done."""
    kept = [
        (name, " ".join(word for word in value.split() if word != "login"))
        if name == "prompt"
        else (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return urlencode([pair for pair in kept if pair != ("prompt", "")])


def _name(parts: Parts) -> str:
    # A browser takes `__Host-` from this host by TLS only: no neighbour can plant a session.
    return _SECURE if parts.settings.secure else _PLAIN


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
