"""A service that cannot start says why, with nothing secret in it, and ends with exit code 3."""

import socket
from pathlib import Path

import httpx
import pytest
from tests.service.framework.running import started

from uat_service.serve import command


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """Ask for a service that cannot be served; return what is said about it."""
    monkeypatch.chdir(Path(__file__).parent)

    def ask(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            command.main(list(arguments))
        assert ended.value.code == command.CANNOT_START
        return capsys.readouterr().err

    return ask


def module(path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a module that nobody has imported yet, and return its name."""
    monkeypatch.chdir(path)
    monkeypatch.syspath_prepend(str(path))
    name = f"made_for_{path.name}"
    (path / f"{name}.py").write_text(code, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nonsense", "'nonsense' is not of the form MODULE:APP"),
        (":service", "':service' is not of the form MODULE:APP"),
        ("no_such_module:service", "cannot be loaded: ModuleNotFoundError"),
        ("json:service", "cannot be loaded: AttributeError"),
        ("json:dumps", "json:dumps must be a Service, not a function"),
    ],
)
def test_name_that_leads_to_no_service_is_told(refused: object, name: str, said: str) -> None:
    assert callable(refused)

    assert said in refused(name)


def test_module_that_fails_is_shown_with_its_traceback(
    refused: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(refused)
    name = module(tmp_path, "1 / 0", monkeypatch)

    said = refused(f"{name}:service")

    assert f'{name}.py", line 1' in said
    assert "ZeroDivisionError" in said


def test_wrong_setting_is_told_by_name_and_rule(
    refused: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(refused)
    monkeypatch.setenv("BULKHEAD_SIZE", "hunter2")
    code = "from uat_service.app import Service\nservice = Service('orders')\n"

    said = refused(module(tmp_path, code, monkeypatch) + ":service")

    assert "BULKHEAD_SIZE: Input should be a valid integer" in said
    assert "hunter2" not in said


def test_port_that_is_taken_is_told(
    refused: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(refused)
    code = "from uat_service.app import Service\nservice = Service('orders')\n"
    name = module(tmp_path, code, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        said = refused(f"{name}:service", "--port", port)

    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "--fd 999 is no socket" in refused(f"{name}:service", "--fd", "999")
    assert "cannot listen on" in refused(f"{name}:service", "--port", "99999")


def test_required_dependency_that_is_not_there_stops_the_start() -> None:
    with started("example:lacking", "--port", "0", STARTUP_TIMEOUT="300ms") as running:
        code = running.end()

        assert running.process.stderr is not None
        said = running.process.stderr.read().decode()
    assert code == command.CANNOT_START
    assert "lacking cannot start: something required is not there:" in said
    assert "DEPENDENCY  REQUIRED  STATUS     ERROR         AFTER" in said
    assert "stock       yes       unhealthy  RuntimeError" in said
    assert "hunter2" not in said + str(running.entries)
    assert running.events("listening") == []


def test_second_socket_is_of_one_process_alone() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as shared,
        socket.create_server(("127.0.0.1", 0)) as own,
    ):
        fds = (shared.fileno(), own.fileno())
        arguments = ("--fd", str(fds[0]), "--own-fd", str(fds[1]))
        with started("example:service", *arguments, descriptors=fds) as running:
            addresses = [running.listening().address, running.listening().address]
            with httpx.Client() as client:
                answers = [client.get(f"http://{each}/health") for each in addresses]
            running.stop()

    assert len(set(addresses)) == 2
    assert [each.status_code for each in answers] == [200, 200]
    # What was imported is not looked through for garbage while requests wait.
    assert answers[0].json()["frozen"] > 10_000


def test_socket_of_the_parent_is_served_and_stays_with_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        inherited = listener.fileno()
        for expected in ("first", "second"):
            with started(
                "example:service",
                "--fd",
                str(inherited),
                descriptors=(inherited,),
                SERVICE_NAME=expected,
                UAT_BULKHED_SIZE="7",
                DETAILS="raise",
            ) as running:
                running.listening()
                with running.client() as client:
                    service = client.get("/health").json()["service"]
                entries = running.stop()

            assert service == expected
            assert running.port == listener.getsockname()[1]
            assert [each["meant"] for each in entries if each["event"] == "unknown setting"] == [
                "UAT_BULKHEAD_SIZE"
            ]
