"""What is done on the machine itself: `uat auth create-admin EMAIL`; `python -m uat_platform.auth` is the same.

There is no default password, and no way to become the first administrator from outside.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import click
import structlog

from uat_platform.auth.accounts.rules import (
    EMAIL,
    LONGEST_EMAIL,
    LONGEST_NAME,
    LONGEST_PASSWORD,
    LONGEST_WORD,
    NAME,
    SHORTEST_PASSWORD,
    WORD,
)
from uat_platform.auth.accounts.users import UserExistsError
from uat_platform.auth.parts import Parts
from uat_platform.auth.settings import AuthSettings
from uat_service.settings import ConfigurationError
from uat_service.store import StoreUnavailableError

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Look after the users of the authentication service, with its settings."""
    try:
        context.obj = AuthSettings.read("auth")
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.argument("email")
@click.option("--username", help="What to call them.  [default: the address]")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True),
    help="A file with the password, or - for the standard input. Otherwise it is asked for.",
)
@click.pass_obj
def create_admin(
    settings: AuthSettings, email: str, username: str | None, password_file: Path | None
) -> None:
    """Make a user with the role `admin`."""
    password = _asked() if password_file is None else _read(password_file)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise click.ClickException(
            f"the password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} letters"
        )
    if len(email) > LONGEST_EMAIL or not re.fullmatch(EMAIL, email):
        raise click.ClickException("EMAIL must be an e-mail address, such as ann@example.com")
    called = email[:LONGEST_NAME] if username is None else username
    if not re.fullmatch(NAME, called):
        raise click.ClickException(
            f"the username must have 1 to {LONGEST_NAME} letters, none of them a control character"
        )

    async def create(parts: Parts) -> str:
        user, _ = await parts.accounts.register(
            email=email, username=called, password=password, roles=("admin", "user")
        )
        return user.id

    click.echo(f"{email} is an administrator, with the id {_done(settings, create)}")


@main.command()
@click.argument("email")
@click.argument("roles", nargs=-1, required=True)
@click.pass_obj
def give_roles(settings: AuthSettings, email: str, roles: tuple[str, ...]) -> None:
    """Give a user these ROLES, and no others."""
    for role in roles:
        if len(role) > LONGEST_WORD or not re.fullmatch(WORD, role):
            raise click.ClickException(
                f"each of ROLES must be one word of ASCII, of up to {LONGEST_WORD} letters,"
                " without quotes and backslashes"
            )

    async def give(parts: Parts) -> str:
        user = await parts.users.by_email(email)
        if user is None:
            raise click.ClickException(f"nobody has the address {email}")
        await parts.users.give_roles(user.id, roles)
        return user.id

    click.echo(f"{email} has the roles {', '.join(roles)}, with the id {_done(settings, give)}")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise click.ClickException("there is nobody to ask for the password: use --password-file")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def _read(file: Path) -> str:
    try:
        told = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = told.decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise click.ClickException(
            f"the password cannot be read ({type(error).__name__}): it must be text in UTF-8"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _done(settings: AuthSettings, work: Callable[[Parts], Awaitable[str]]) -> str:
    """Run something with the parts of the service, and say what stands in its way."""

    async def run() -> str:
        parts = Parts(settings)
        async with parts.lifespan():
            await parts.database()
            return await work(parts)

    try:
        with _quiet():
            return asyncio.run(run())
    except UserExistsError:
        raise click.ClickException("there is such a user: see give-roles") from None
    except StoreUnavailableError:
        raise click.ClickException("the database is not available") from None


@contextmanager
def _quiet() -> Generator[None]:
    """Log to the standard error, and only what has gone wrong: what has been done is the answer."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


if __name__ == "__main__":
    main()
