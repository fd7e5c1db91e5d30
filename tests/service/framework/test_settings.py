"""What a service is told: names, files of secrets, rules, and nothing secret in what it says about them."""

import json
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from uat_service.duration import parsed
from uat_service.settings import ConfigurationError, OfStack, Settings

SECRET = "hunter2"  # noqa: S105 - what must not be seen


class OrderSettings(Settings):
    currencies: tuple[str, ...] = ("EUR",)
    broker: str = ""
    token: SecretStr = SecretStr("")
    stock_url: Annotated[str, OfStack("stock-keeper")] = "http://127.0.0.1:8020"


def read(**variables: str) -> OrderSettings:
    return OrderSettings.read("order-desk", variables)


@pytest.mark.parametrize("link", ["tcp://10.0.0.7:80", "udp://10.0.0.7:53"])
def test_what_kubernetes_calls_a_port_is_none(link: str) -> None:
    assert read(ORDER_DESK_PORT=link).port == read().port
    assert read(ORDER_DESK_PORT=link, PORT="8081").port == 8081


def test_names_are_those_of_the_readme() -> None:
    settings = read(
        PORT="8081",
        SERVICE_NAME="desk",
        LOG_LEVEL="WARNING",
        REDIS_ADDR="localhost:6379",
        REDIS_PASSWORD=SECRET,
        REDIS_DB="2",
        CIRCUIT_BREAKER_FAILURE_THRESHOLD="7",
        RETRY_MAX_ATTEMPTS="4",
        TIMEOUT_DURATION="10s",
        BULKHEAD_SIZE="50",
    )

    assert (settings.port, settings.service_name, settings.log_level) == (8081, "desk", "warning")
    assert (settings.redis_addr, settings.redis_db) == ("localhost:6379", 2)
    assert settings.redis_password.get_secret_value() == SECRET
    assert settings.circuit_breaker_failure_threshold == 7
    assert (settings.retry_max_attempts, settings.bulkhead_size) == (4, 50)
    assert settings.timeout_duration == 10.0


def test_without_any_variable_the_defaults_hold() -> None:
    settings = read()

    assert (settings.service_name, settings.port) == ("order-desk", 8000)
    assert settings.timeout_duration == 30.0


def test_name_of_the_service_comes_before_the_common_ones() -> None:
    port = {"ORDER_DESK_PORT": "1", "UAT_PORT": "2", "PORT": "3"}

    found = [read(**dict(list(port.items())[place:])).port for place in range(3)]

    assert found == [1, 2, 3]


def test_empty_variable_counts_as_not_set() -> None:
    settings = read(PORT="", ORDER_DESK_PORT="")

    assert settings.port == 8000


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30.0),
        ("250ms", 0.25),
        ("2m", 120.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (" 5S ", 5.0),
        ("7", 7.0),
        (0.5, 0.5),
    ],
)
def test_duration_is_read_as_people_write_it(written: object, seconds: float) -> None:
    assert parsed(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["", "soon", "-1s", "1 s", "s", "5d", "1e3", True, None, [], 1e12]
)
def test_duration_that_is_none_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="like 30s, 250ms, 2m"):
        parsed(written)


@given(st.text())
def test_duration_is_read_or_refused_whatever_is_written(written: str) -> None:
    with suppress(ValueError):
        assert parsed(written) >= 0


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_file_of_a_secret_may_end_in_a_newline(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(f"{SECRET}{ending}".encode())

    settings = read(TOKEN_FILE=str(file))

    assert settings.token.get_secret_value() == SECRET


def test_newline_that_belongs_to_a_secret_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\ntwo\n\n", encoding="utf-8")

    settings = read(TOKEN_FILE=str(file))

    assert settings.token.get_secret_value() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("PORT", {"PORT": SECRET}),
        ("ORDER_DESK_PORT", {"ORDER_DESK_PORT": "70000" + SECRET}),
        ("PORT", {"PORT": "65536"}),
        ("LOG_LEVEL", {"LOG_LEVEL": SECRET}),
        ("BULKHEAD_SIZE", {"BULKHEAD_SIZE": "0"}),
        ("TIMEOUT_DURATION", {"TIMEOUT_DURATION": SECRET}),
        ("TIMEOUT_DURATION", {"TIMEOUT_DURATION": "0s"}),
        ("CURRENCIES", {"CURRENCIES": '["' + SECRET}),
        ("TOKEN", {"TOKEN": SECRET, "TOKEN_FILE": "token"}),
        ("TOKEN_FILE", {"TOKEN_FILE": f"/nowhere/{SECRET}"}),
        ("REDIS_ADDR", {"REDIS_ADDR": f"redis://:{SECRET}@redis:6379/0"}),
        ("REDIS_ADDR", {"REDIS_ADDR": f"user:{SECRET}@redis:6379"}),
        ("LOAD_BALANCER_URL", {"LOAD_BALANCER_URL": "localhost:8011"}),
        ("ADVERTISE_URL", {"ADVERTISE_URL": f"http://user:{SECRET}@shop"}),
        ("settings", {"SHUTDOWN_DELAY": "2m", "SHUTDOWN_GRACE": "1m"}),
        ("settings", {"REDIS_SENTINEL": "mymaster"}),
        ("settings", {"REDIS_ADDR": "one:6379,two:6379", "REDIS_DB": "1"}),
    ],
)
def test_wrong_value_is_told_by_name_and_rule_and_never_shown(
    name: str, variables: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(**variables)

    assert list(refused.value.problems) == [name]
    assert len(refused.value.problems[name]) > 10
    assert SECRET not in str(refused.value) + repr(refused.value)
    assert refused.value.__cause__ is None


def test_every_wrong_value_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(PORT="x", BULKHEAD_SIZE="y", REDIS_DB="-1")

    assert sorted(refused.value.problems) == ["BULKHEAD_SIZE", "PORT", "REDIS_DB"]
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)  # noqa: S301 - our own


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(TOKEN_FILE=str(file))


def test_list_is_written_with_commas_or_as_json() -> None:
    commas, written = read(CURRENCIES="EUR, USD"), read(CURRENCIES='["EUR", "USD"]')

    assert commas.currencies == written.currencies == ("EUR", "USD")


def test_unknown_name_is_said_with_the_one_that_was_meant() -> None:
    settings = read(
        UAT_BULKHED_SIZE="3",
        UAT_XYZZY="1",
        UAT_PORT="80",
        UAT_REDIS_DB="1",
        UAT_LIFELINE_FD="3",
        UAT_SERVICES__AUTH__URL="http://auth",
        BULKHED="5",
    )

    assert settings.unknown == {"UAT_BULKHED_SIZE": "UAT_BULKHEAD_SIZE", "UAT_XYZZY": None}


def test_effective_settings_name_their_source_and_hide_secrets(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET, encoding="utf-8")
    settings = read(
        TOKEN_FILE=str(file), ORDER_DESK_PORT="81", BROKER=f"amqp://orders:{SECRET}@mq:5672/"
    )

    told = {each.name: (each.value, each.source) for each in settings.effective()}

    assert told["TOKEN"] == ("**********", "TOKEN_FILE")
    assert told["PORT"] == ("81", "ORDER_DESK_PORT")
    assert told["BROKER"] == ("amqp://**********@mq:5672/", "BROKER")
    assert told["HOST"] == ("127.0.0.1", "default")
    assert SECRET not in json.dumps(told) + repr(settings)


def test_where_a_service_is_the_stack_says_unless_somebody_else_does() -> None:
    moved = {"UAT_SERVICES__STOCK_KEEPER__URL": "http://127.0.0.1:9020"}

    in_a_stack, told = read(**moved), read(**moved, STOCK_URL="http://stock:80")

    assert read().stock_url == "http://127.0.0.1:8020"
    assert in_a_stack.stock_url == "http://127.0.0.1:9020"
    assert {each.name: each.source for each in in_a_stack.effective()}["STOCK_URL"] in moved
    assert told.stock_url == "http://stock:80"


def test_dotenv_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=99\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert read().port == 8000


def test_settings_made_by_hand_look_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "99")

    settings = OrderSettings(bulkhead_size=3)

    told = {each.name: each.source for each in settings.effective()}
    assert (settings.port, settings.bulkhead_size) == (8000, 3)
    assert (told["PORT"], told["BULKHEAD_SIZE"]) == ("default", "argument")


def test_settings_cannot_be_changed() -> None:
    settings = read()

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_settings_are_read_for_a_name() -> None:
    name: Any = None

    with pytest.raises(TypeError, match="service must be a string"):
        Settings.read(name, {})
