"""Numbered SQL files that bring a database up to date, each once and in order.

    migrations/0001_users.sql
    migrations/0002_roles.sqlite.sql          for one kind of database only
    migrations/0002_roles.postgresql.sql

What has run is in the table `uat_migrations`, with a digest: a file that was changed afterwards is an error,
because databases that ran it before and after would differ for good.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

__all__ = ["Migration", "MigrationError", "found"]


class MigrationError(Exception):
    """The files and the database do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Attributes:
        number: From 1, without gaps.
        name: Of the file.
        statements: Of SQL, in order.
        digest: Of its text.
    """

    number: int
    name: str
    statements: tuple[str, ...]
    digest: str


def found(directory: Path, *, kind: str) -> list[Migration]:
    """Return the migrations of a directory for one kind of database, in order.

    Args:
        directory: Where they are.
        kind: `sqlite` or `postgresql`.

    Raises:
        MigrationError: A name is none, a number is there twice, or one is missing.
    """
    migrations: dict[int, Migration] = {}
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} must be called like 0001_words.sql")
        if match["kind"] not in {None, kind}:
            continue
        number, text = int(match["number"]), path.read_text(encoding="utf-8")
        if number in migrations:
            raise MigrationError(f"{path.name} has the number of {migrations[number].name}")
        digest = sha256(text.encode()).hexdigest()
        migrations[number] = Migration(number, path.name, _statements(text), digest)
    missing = set(range(1, len(migrations) + 1)) - set(migrations)
    if missing:
        raise MigrationError(f"migration {min(missing):04} is missing in {directory.name}")
    return [migrations[number] for number in sorted(migrations)]


_NAME = re.compile(r"(?P<number>\d{4})_\w+(?:\.(?P<kind>sqlite|postgresql))?\.sql", re.ASCII)
# A statement ends with a semicolon at the end of a line; one with semicolons inside (a trigger, a function) stands
# between lines of `-- begin` and `-- end`.
_BLOCK = re.compile(r"^-- begin\s*\n(.*?)^-- end\s*$", re.MULTILINE | re.DOTALL)


def _statements(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    for index, part in enumerate(_BLOCK.split(text)):
        parts += (
            [part] if index % 2 else re.split(r";[ \t]*(?:--[^\n]*)?$", part, flags=re.MULTILINE)
        )
    return tuple(each.strip() for each in parts if _CODE.search(each))


_CODE = re.compile(r"^\s*(?!--)\S", re.MULTILINE)
