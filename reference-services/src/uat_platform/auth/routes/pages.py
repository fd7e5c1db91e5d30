"""The two pages that people see, and the one for when something is wrong: plain HTML, without a script.

Labels belong to their fields, errors are announced, everything works with a keyboard and at any width, and follows
light or dark as the system has it.
"""

from base64 import b64encode
from collections.abc import Collection
from hashlib import sha256
from html import escape
from string import Template
from urllib.parse import urlsplit

from litestar import Response

from uat_platform.auth.oauth.scopes import MEANINGS

__all__ = ["consent_page", "error_page", "login_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #767676; --accent: #0b57d0; --on: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --line: #8e8e8e; --accent: #a8c7fa; --on: #062e6f; --bad: #f2b8b5; }
}
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; }
main { max-width: 24rem; margin: 8vh auto 0; }
h1 { font-size: 1.5rem; line-height: 1.25; }
label { display: block; margin: 1rem 0 .25rem; }
input, button { font: inherit; width: 100%; padding: .625rem .75rem; border-radius: .375rem; }
input { border: 1px solid var(--line); background: Canvas; color: CanvasText; }
button { margin-top: 1rem; border: 1px solid var(--accent); cursor: pointer; }
button.main { background: var(--accent); color: var(--on); }
button.other { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { border-left: .25rem solid var(--bad); padding-left: .75rem; color: var(--bad); }
""".strip()

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<h1>$title</h1>
$content
</main>
</body>
</html>
""")

_LOGIN = Template("""$error<form method="post" action="login">
<input type="hidden" name="request" value="$request">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="$email"$describe>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required$describe>
<button class="main" type="submit">Sign in</button>
</form>""")

_CONSENT = Template("""<p><strong>$client</strong> wants to:</p>
<ul>
$scopes
</ul>
<p>You are signed in as $user.</p>
<form method="post" action="consent">
<input type="hidden" name="request" value="$request">
<button class="main" type="submit" name="decision" value="allow">Allow</button>
<button class="other" type="submit" name="decision" value="deny">Deny</button>
</form>""")

_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()


def login_page(
    request: str,
    *,
    redirect_uri: str,
    client: str,
    email: str = "",
    error: str = "",
    status: int = 200,
) -> Response[str]:
    """Return the page that asks for a password.

    Args:
        request: The query that brought the person here.
        redirect_uri: Where they will be sent.
        client: Where they want to sign in.
        email: What they wrote the last time.
        error: What was wrong with it.
        status: Of HTTP.
    """
    told = f'<p class="error" id="error" role="alert">{escape(error)}</p>\n' if error else ""
    content = _LOGIN.substitute(
        error=told,
        request=escape(request),
        email=escape(email),
        describe=' aria-describedby="error" aria-invalid="true"' if error else "",
    )
    return _page(f"Sign in to {client}", content, status=status, leads_to=redirect_uri)


def consent_page(
    request: str, *, redirect_uri: str, client: str, user: str, scope: Collection[str]
) -> Response[str]:
    """Return the page that asks for leave.

    Args:
        request: The query that brought the person here.
        redirect_uri: Where they will be sent.
        client: Who wants it.
        user: Who is asked.
        scope: What for.
    """
    known = sorted(scope, key=lambda each: (each not in MEANINGS, [*MEANINGS, each].index(each)))
    items = "\n".join(f"<li>{escape(MEANINGS.get(each, each))}</li>" for each in known)
    content = _CONSENT.substitute(
        client=escape(client), user=escape(user), scopes=items, request=escape(request)
    )
    return _page(f"Let {client} in?", content, leads_to=redirect_uri)


def error_page(text: str, *, status: int = 400) -> Response[str]:
    """Return the page for a request that nobody else can be told about."""
    return _page("This did not work", f'<p role="alert">{escape(text)}</p>', status=status)


def _page(title: str, content: str, *, status: int = 200, leads_to: str = "") -> Response[str]:
    return Response(
        _PAGE.substitute(title=escape(title), style=_STYLE, content=content),
        media_type="text/html",
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            # Browsers hold what a form leads to against `form-action` too, so it names the client's address.
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}';"
            f" form-action 'self'{_source(leads_to)}; frame-ancestors 'none'; base-uri 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        },
    )


def _source(uri: str) -> str:
    parts = urlsplit(uri)
    if not parts.scheme:
        return ""
    if parts.scheme in {"http", "https"}:
        return f" {parts.scheme}://{parts.netloc}"
    return f" {parts.scheme}:"
