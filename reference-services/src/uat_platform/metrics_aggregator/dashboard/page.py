"""The page, put together of its parts: HTML, style and script, with nothing from elsewhere."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["page", "policy"]

_HERE = Path(__file__).parent
_SCRIPTS = ("words.js", "chart.js", "map.js", "panels.js", "main.js")


@cache
def _parts() -> tuple[str, str]:
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    scripts = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return style, f'"use strict";\n{scripts}'


@cache
def page() -> str:
    """Return the page."""
    style, script = _parts()
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    return html.replace("/* style */", style).replace("/* script */", script)


@cache
def policy() -> str:
    """Return the page's content security policy: this very style and script, and nothing else."""
    style, script = map(_digest, _parts())
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
