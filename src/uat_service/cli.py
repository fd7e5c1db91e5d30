"""The command `uat`: run services together on one machine, and look after them.

Exit codes: 0 all ended well; 1 something failed or had to be killed; 2 the stack or the command line is wrong;
130 a second Ctrl-C cut it short.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click
from rich.console import Console

from uat_resilience.clock import SystemClock
from uat_service.spelling import choice
from uat_service.stack import control, graph
from uat_service.stack.commands import Commands
from uat_service.stack.effective import effective
from uat_service.stack.errors import StackError
from uat_service.stack.finding import stack_file
from uat_service.stack.lines import clean
from uat_service.stack.reading import Described, read
from uat_service.stack.running import run
from uat_service.stack.state_dir import StateDir
from uat_service.stack.table import table
from uat_service.stack.valkey import with_redis
from uat_service.stack.views import view_for

__all__ = ["main"]

_STATE = Path(".uat")
_NARROWEST = 40

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--stack",
    "file",
    type=click.Path(path_type=Path),
    envvar="UAT_STACK_FILE",
    help="The file that describes the services.  [default: stack.toml, or what pyproject.toml names]",
)
@click.version_option(package_name="uat-resilience", message="uat-resilience %(version)s")
@click.pass_context
def main(context: click.Context, file: Path | None) -> None:
    """Run services together on one machine."""
    context.obj = file


@main.command()
@click.argument("names", nargs=-1)
@click.option("--replicas", multiple=True, metavar="NAME=N", help="Run N processes of a service.")
@click.option("--reload", is_flag=True, help="Restart what a saved file concerns.")
@as_json
@click.pass_obj
def up(
    file: Path | None,
    names: tuple[str, ...],
    replicas: tuple[str, ...],
    *,
    reload: bool,
    as_json: bool,
) -> None:
    """Start services and all that they need, and keep them running.

    Without NAMES all of them. Ctrl-C stops them, in the reverse order; once more kills.
    """
    described = _checked(file, dict(map(_replicas, replicas)))
    notes: list[str] = []
    with StateDir(_STATE) as state:
        services = with_redis(
            graph.selected(described.stack.services, names),
            variables=os.environ,
            directory=_STATE.absolute(),
            note=notes.append,
        )
        state.claim()
        view = view_for(
            sys.stdout,
            as_json=as_json,
            title=described.stack.name,
            names=[name for service in services.values() for name in service.instances],
            environ=os.environ,
        )
        code = asyncio.run(
            run(
                described,
                services,
                state=state,
                view=view,
                notes=notes,
                variables=os.environ,
                clock=SystemClock(),
                reload=reload,
            )
        )
    sys.exit(code)


@main.command()
@as_json
def status(*, as_json: bool) -> None:
    """Show what each process is doing."""
    reply = asyncio.run(_asked({"do": "status"}))
    rows = cast("list[Mapping[str, object]]", reply["rows"])
    if as_json:
        click.echo("\n".join(json.dumps(row) for row in rows))
    else:
        console = Console()
        console.print(table(rows, width=max(_NARROWEST, console.width)))


@main.command()
@as_json
def health(*, as_json: bool) -> None:
    """Ask each service whether it is ready. The exit code is 1 when one is not."""
    problems = cast("dict[str, str | None]", asyncio.run(_asked({"do": "health"}))["health"])
    if as_json:
        click.echo(json.dumps({name: problem or "ready" for name, problem in problems.items()}))
    else:
        width = max(map(len, problems))
        for name, problem in problems.items():
            click.echo(f"{name:<{width}}  {problem or 'ready'}")
    sys.exit(int(any(problems.values())))


@main.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="How many of each log.",
)
@as_json
def logs(name: str | None, *, follow: bool, lines: int, as_json: bool) -> None:
    """Print what the processes of a service, or of all, have written."""
    if follow:
        asyncio.run(_follow(name, lines=lines, as_json=as_json))
    elif not _print_kept(name, lines=lines, as_json=as_json):
        of = "" if name is None else f" of `{name}`{choice(name, StateDir(_STATE).logged())}"
        raise StackError(f"there are no logs{of}")


@main.command()
@click.argument("name")
@as_json
def restart(name: str, *, as_json: bool) -> None:
    """Restart a service, or one of its processes. The exit code is 1 when it does not get ready."""
    state = str(asyncio.run(_asked({"do": "restart", "name": name}))["state"])
    click.echo(json.dumps({"name": name, "state": state}) if as_json else f"{name}: {state}")
    sys.exit(int(state not in {"running", "finished"}))


@main.command()
def down() -> None:
    """Stop the running stack, and wait until it has ended. The exit code is that of `up`."""
    code = asyncio.run(_asked({"do": "down"}, last=True)).get("exit", 1)
    sys.exit(code if isinstance(code, int) else 1)


@main.command(name="graph")
@click.option("--mermaid", is_flag=True, help="As a Mermaid diagram.")
@as_json
@click.pass_obj
def show_graph(file: Path | None, *, mermaid: bool, as_json: bool) -> None:
    """Show who needs whom, in the order of starting."""
    services = _checked(file).stack.services
    text = graph.mermaid(services) if mermaid else graph.drawn(services)
    click.echo("\n".join(map(json.dumps, graph.listed(services))) if as_json else text)


@main.command()
@as_json
@click.pass_obj
def config(file: Path | None, *, as_json: bool) -> None:
    """Show the stack as it is in effect, with the source of each value. Secrets are not shown."""
    values = effective(_checked(file))
    if as_json:
        for each in values:
            click.echo(json.dumps({"path": each.path, "value": each.value, "source": each.source}))
        return
    for each in values:
        click.echo(f"{each.path} = {json.dumps(each.value)}  # {each.source}")


def _checked(file: Path | None, replicas: Mapping[str, int] | None = None) -> Described:
    described = read(file or stack_file(), variables=os.environ, replicas=replicas)
    graph.check(described.stack)
    return described


def _replicas(option: str) -> tuple[str, int]:
    name, _, number = option.partition("=")
    if not name or not number.isdecimal():
        raise click.BadParameter(f"{option!r} must be NAME=N", param_hint="--replicas")
    return name, int(number)


async def _asked(request: Mapping[str, object], *, last: bool = False) -> dict[str, object]:
    """Return the first reply of the running stack, or the last."""
    found: dict[str, object] = {}
    replies = control.ask(StateDir(_STATE).socket, request)
    async for reply in replies:
        if "error" in reply:
            raise StackError(str(reply["error"]))
        found = reply
        if not last:
            break
    await replies.aclose()
    if not found:
        raise StackError("the stack ended while it was asked")
    return found


async def _follow(name: str | None, *, lines: int, as_json: bool) -> None:
    width = 0
    async for reply in control.ask(StateDir(_STATE).socket, {"do": "logs", "name": name}):
        if "error" in reply:
            raise StackError(str(reply["error"]))
        if "line" in reply:
            _print(str(reply["name"]), str(reply["line"]), width=width, as_json=as_json)
        else:
            # Once it listens, so that no line is missed between those before and those to come.
            width = _print_kept(name, lines=lines, as_json=as_json)


def _print_kept(name: str | None, *, lines: int, as_json: bool) -> int:
    """Print what is in the logs; return the letters of the longest name, 0 when there is no log."""
    wanted = StateDir(_STATE).logged(name)
    width = max(map(len, wanted), default=0)
    for instance, line in StateDir(_STATE).kept(wanted, lines=lines):
        _print(instance, clean(line), width=width, as_json=as_json)
    return width


def _print(instance: str, line: str, *, width: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": instance, "line": line}))
    else:
        click.echo(f"{instance:<{width}} | {line}")
