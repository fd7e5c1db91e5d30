"""What a stack.toml may say, and what is said of a wrong one."""

from pathlib import Path

import pytest

from uat_service.stack.effective import effective
from uat_service.stack.errors import StackError
from uat_service.stack.reading import Described, read

GOOD = """
[stack]
name = "shop"
env = { DATABASE_PASSWORD = "hunter2", BUS = "redis://user:pw@host/0" }

[services.api]
app = "api:app"
port = 8080
grace = "1m30s"

[services.job]
command = "run --fast 'two words'"
needs = ["api"]
"""


def described(tmp_path: Path, text: str, **variables: str) -> Described:
    file = tmp_path / "stack.toml"
    file.write_text(text, encoding="utf-8")
    return read(file, variables=variables)


def test_a_stack_is_read_with_defaults(tmp_path: Path) -> None:
    stack = described(tmp_path, GOOD).stack

    api, job = stack.services.values()
    assert (stack.name, stack.host, stack.health_interval) == ("shop", "127.0.0.1", 30.0)
    assert (api.name, api.ready_path, api.grace, api.replicas) == ("api", "/health/ready", 90.0, 1)
    assert (job.command, job.needs, job.port) == (("run", "--fast", "two words"), ("api",), None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[services.a", "is no TOML"),
        ("", "has no service: it needs at least one table [services.NAME]"),
        ("stack = 1\n[services.a]\n", "stack must be a table"),
        (
            "[service.a]\n[services.b]\n",
            "unknown key `service`: there are [stack] and [services.NAME]",
        ),
        (
            "[stack]\nnme = 'x'\n[services.a]\ncommand = 'x'",
            "nme: unknown key (did you mean `name`?)",
        ),
        (
            "[services.a]\ncommand = 'x'\nneed = ['b']",
            "services.a.need: unknown key (did you mean `needs`?)",
        ),
        ("[services.a]\ncommand = 'x'\nqqqq = 1", "services.a.qqqq: unknown key"),
        ("[services.a]", "services.a: must have either an app or a command"),
        ("[services.a]\napp = 'a:b'", "services.a: has an app, so it must have a port"),
        ("[services.a]\napp = 'a'\nport = 1", "services.a.app: must be written as module:name"),
        ("[services.a]\ncommand = 'x'\nport = 99999", "services.a.port: input should be less than"),
        ("[services.a]\ncommand = 'x'\nhealth = '/h'", "services.a: has a health path, so it must"),
        (
            "[services.a]\ncommand = 'x'\nport = 1\nhealth = 'h'",
            "services.a.health: must be a path that begins with /",
        ),
        (
            "[services.a]\ncommand = 'x {fd}'",
            "services.a: has {fd} in its command, so it must have a port",
        ),
        (
            "[services.a]\ncommand = 'x {fd}'\nport = 1",
            "services.a: has {fd} in its command, so it must have a health path",
        ),
        (
            "[services.a]\ncommand = 'x'\nport = 1\nreplicas = 2",
            "services.a: has replicas, so its command must take its socket as {fd}",
        ),
        ("[services.A_b]\ncommand = 'x'", "services.A_b.name: must be made of small letters"),
        (
            "[services.a]\ncommand = 'x'\ngrace = 'soon'",
            "services.a.grace: must be a duration like 30s",
        ),
        ("services.a = 1", "services.a: must be a table, as in [services.a]"),
        ("services = 1", "has no service: it needs at least one table"),
        ("[service.a]", "unknown key `service`: there are [stack] and [services.NAME]"),
        (
            "[services.a]\ncommand = 'x'\nneeds = 'b'",
            'stack.toml: services.a.needs: must be a list, as in ["one", "two"]',
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(StackError) as caught:
        described(tmp_path, text)

    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(
        StackError, match=r"no such file: go to .* or name it with `uat --stack FILE`"
    ):
        read(tmp_path / "stack.toml", variables={})


def test_a_port_in_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    found = described(tmp_path, GOOD, API_PORT="9090")

    assert found.stack.services["api"].port == 9090
    assert found.sources["services.api.port"] == "API_PORT"


def test_what_is_wrong_is_named_where_it_was_said(tmp_path: Path) -> None:
    file = described(tmp_path, GOOD).file

    with pytest.raises(StackError) as variable:
        read(file, variables={"API_PORT": "http"})
    with pytest.raises(StackError) as option:
        read(file, variables={}, replicas={"api": 0})

    assert str(variable.value).startswith("API_PORT: services.api.port: input should be a valid")
    assert str(option.value).startswith("--replicas: services.api.replicas: input should be")


def test_replicas_of_a_service_that_is_not_there_are_refused(tmp_path: Path) -> None:
    file = described(tmp_path, GOOD).file

    with pytest.raises(StackError, match=r"there is no service `ap` \(did you mean `api`\?\)"):
        read(file, variables={}, replicas={"ap": 2})


def test_the_effective_stack_tells_sources_and_no_secrets(tmp_path: Path) -> None:
    found = described(tmp_path, GOOD, API_PORT="9090")

    values = {each.path: (each.value, each.source) for each in effective(found)}

    assert values["name"] == ("shop", "stack.toml")
    assert values["env.DATABASE_PASSWORD"] == ("**********", "stack.toml")
    assert values["env.BUS"] == ("redis://**********@host/0", "stack.toml")
    assert values["services.api.port"] == (9090, "API_PORT")
    assert values["services.job.replicas"] == (1, "default")
    assert values["services.job.grace"] == (30.0, "default")
