"""What `uat` says before anything is started."""

import json
import socket
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from uat_service.cli import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_ADDR", raising=False)


def uat(stack: str, *arguments: str) -> Result:
    Path("stack.toml").write_text(stack, encoding="utf-8")
    return CliRunner().invoke(main, arguments)


GOOD = '[services.b]\ncommand = "x"\nport = 0\n[services.a]\ncommand = "y"\nneeds = ["b"]\n'


@pytest.mark.parametrize(
    ("stack", "arguments", "problem"),
    [
        (
            GOOD + 'need = "b"\n',
            (),
            "stack.toml: services.a.need: unknown key (did you mean `needs`?)",
        ),
        (GOOD + 'optional_needs = ["c"]\n', (), "services.a needs `c`, which is not in the stack"),
        (GOOD.replace('"b"', '"a"'), (), "services need each other in a circle: a → a"),
        (GOOD, ("c",), "there is no service `c` (there is b, a)"),
        (
            GOOD,
            ("--replicas", "c=2"),
            "--replicas c=2: there is no service `c` (there is b, a)",
        ),
    ],
)
def test_a_stack_that_cannot_run_is_refused_with_the_reason(
    stack: str, arguments: tuple[str, ...], problem: str
) -> None:
    told = uat(stack, "up", *arguments)

    assert (told.exit_code, told.stderr, told.stdout) == (2, f"error: {problem}\n", "")


def test_replicas_are_written_as_name_and_number() -> None:
    told = uat(GOOD, "up", "--replicas", "b:2")

    assert told.exit_code == 2
    assert "'b:2' must be NAME=N" in told.stderr


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        told = uat(GOOD.replace("port = 0", f"port = {port}"), "up")

    assert told.exit_code == 2
    assert told.stderr == (
        f"error: services.b: port {port} is taken by another program: "
        "stop it, or choose another port with B_PORT\n"
    )
    assert told.stdout == ""


def test_an_address_that_is_not_ours_is_told() -> None:
    told = uat('[stack]\nhost = "192.0.2.1"\n' + GOOD, "up")

    assert told.exit_code == 2
    assert told.stderr.startswith("error: services.b: 192.0.2.1:0 cannot be used: ")


def test_a_path_that_is_too_long_for_a_socket_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uat_service.cli._STATE", tmp_path / ("x" * 120))

    told = uat(GOOD, "status")

    assert told.exit_code == 2
    assert "too long for a socket" in told.stderr


def test_the_graph_is_shown_in_the_order_of_starting() -> None:
    assert uat(GOOD, "graph").stdout == "1  b :0\n2  a → b\n"
    assert uat(GOOD, "graph", "--mermaid").stdout.startswith(
        "flowchart LR\n    b\n    a\n    a --> b"
    )
    assert list(map(json.loads, uat(GOOD, "graph", "--json").stdout.splitlines())) == [
        {"name": "b", "level": 1, "port": 0, "needs": [], "optional_needs": []},
        {"name": "a", "level": 2, "port": None, "needs": ["b"], "optional_needs": []},
    ]


def test_the_effective_stack_is_shown_with_sources() -> None:
    lines = uat(GOOD, "config").stdout.splitlines()
    values = list(map(json.loads, uat(GOOD, "config", "--json").stdout.splitlines()))

    assert 'services.a.needs = ["b"]  # stack.toml' in lines
    assert "services.a.replicas = 1  # default" in lines
    assert {"path": "services.b.port", "value": 0, "source": "stack.toml"} in values


def test_logs_of_nothing_are_none() -> None:
    told = uat(GOOD, "logs")

    assert (told.exit_code, told.stderr) == (2, "error: there are no logs\n")


@pytest.fixture
def _added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that adds two commands, one of which `uat` has itself."""
    package = tmp_path / "site"
    described = package / "shop-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(
        "[uat.commands]\nshop = added_by_shop:greet\ngraph = added_by_shop:greet\n"
    )
    (package / "added_by_shop.py").write_text(
        "import click\n\n\n@click.command()\ndef greet():\n    click.echo('hello')\n"
    )
    monkeypatch.syspath_prepend(package)


@pytest.mark.usefixtures("_added")
def test_what_is_installed_adds_commands_and_replaces_none() -> None:
    assert uat(GOOD, "shop").output == "hello\n"
    assert "hello" not in uat(GOOD, "graph").output
    assert "Added by what is installed:" in uat(GOOD, "--help").output


def test_a_command_that_nobody_adds_is_unknown() -> None:
    answer = uat(GOOD, "nothing")

    assert answer.exit_code == 2
    assert "No such command 'nothing'" in answer.output


def test_what_is_installed_is_told() -> None:
    told = uat(GOOD, "--version")

    assert (told.exit_code, told.stdout) == (0, f"uat-resilience {version('uat-resilience')}\n")
