"""The group that `uat` is: what is wrong with a stack is said in lines, and what is installed adds commands.

A package adds one by an entry point of the group `uat.commands`; it is imported when it is called, and not before:

    [project.entry-points."uat.commands"]
    auth = "uat_platform.auth.__main__:main"        # uat auth create-admin EMAIL
"""

from importlib.metadata import entry_points

import click

from uat_service.stack.errors import StackError

__all__ = ["Commands"]

_GROUP = "uat.commands"
_WRONG = 2


class Commands(click.Group):
    """Commands of our own, and those that other packages add. Ours go before theirs."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for found in entry_points(group=_GROUP, name=cmd_name):
            command = found.load()
            if isinstance(command, click.Command):
                return command
        return None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name what others add."""
        added = sorted(entry_points(group=_GROUP).names - self.commands.keys())
        if added:
            formatter.write_paragraph()
            formatter.write_text(f"Added by what is installed: {', '.join(added)}")
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand; say what is wrong in one line for each, and not as a traceback."""
        try:
            return super().invoke(ctx)
        except StackError as error:
            for problem in error.problems:
                click.echo(f"error: {problem}", err=True)
            ctx.exit(_WRONG)
