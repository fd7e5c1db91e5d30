"""Which file describes the stack, when nobody says.

./stack.toml, or what `[tool.uat]` of ./pyproject.toml calls `stack`
"""

import tomllib
from pathlib import Path
from typing import cast

from uat_service.stack.errors import StackError

__all__ = ["stack_file"]

_OWN, _PROJECT = Path("stack.toml"), Path("pyproject.toml")


def stack_file() -> Path:
    """Return the file for the working directory; it need not exist.

    Raises:
        StackError: `pyproject.toml` says something that cannot be.
    """
    if _OWN.exists() or not _PROJECT.exists():
        return _OWN
    try:
        tables = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StackError(f"{_PROJECT}: is no TOML: {error}") from None
    ours = _table(tables.get("tool", {})).get("uat", {})
    named = _table(ours).get("stack", "")
    if not isinstance(ours, dict) or not isinstance(named, str):
        raise StackError(f"{_PROJECT}: tool.uat must be a table in which `stack` is a path")
    return Path(named) if named else _OWN


def _table(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
