"""What is done on the machine itself: `uat auth create-admin EMAIL`; `python -m uat_platform.auth` is the same.

There is no default password, and no way to become the first administrator from outside.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from uat_platform.auth.accounts.users import UserExistsError
from uat_platform.auth.parts import Parts
from uat_platform.auth.settings import AuthSettings
from uat_service.settings import ConfigurationError
from uat_service.store import StoreUnavailableError

__all__ = ["main"]

_SHORTEST = 8


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
    if len(password) < _SHORTEST:
        raise click.ClickException(f"the password must have at least {_SHORTEST} letters")
    if "@" not in email:
        raise click.ClickException("EMAIL must be an e-mail address")

    async def create(parts: Parts) -> str:
        user, _ = await parts.accounts.register(
            email=email, username=username or email, password=password, roles=("admin", "user")
        )
        return user.id

    click.echo(f"{email} is an administrator, with the id {_done(settings, create)}")


@main.command()
@click.argument("email")
@click.argument("roles", nargs=-1, required=True)
@click.pass_obj
def give_roles(settings: AuthSettings, email: str, roles: tuple[str, ...]) -> None:
    """Give a user these ROLES, and no others."""

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
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return text.removesuffix("\n").removesuffix("\r")


def _done(settings: AuthSettings, work: Callable[[Parts], Awaitable[str]]) -> str:
    """Run something with the parts of the service, and say what stands in its way."""

    async def run() -> str:
        parts = Parts(settings)
        async with parts.lifespan():
            await parts.database()
            return await work(parts)

    try:
        return asyncio.run(run())
    except UserExistsError:
        raise click.ClickException("there is such a user: see give-roles") from None
    except StoreUnavailableError:
        raise click.ClickException("the database is not available") from None


if __name__ == "__main__":
    main()
