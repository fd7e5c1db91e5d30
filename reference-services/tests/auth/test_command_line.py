"""The first administrator is made on the machine itself, and nobody else's password is known to anybody."""

from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from uat_platform.auth.__main__ import main
from uat_platform.auth.parts import Parts
from uat_service.cli import main as uat


@pytest.fixture
def url(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/auth.db"
    monkeypatch.setenv("AUTH_DATABASE_URL", url)
    monkeypatch.setenv("AUTH_PASSWORD_MEMORY", "64")
    return url


@pytest.fixture
def run(url: str) -> "type[Run]":
    return Run


class Run:
    """A command, and what it said."""

    def __new__(cls, *arguments: str, says: str = "") -> Result:
        return CliRunner().invoke(main, list(arguments), input=says)


def test_an_administrator_is_made(run: type[Run], tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\n")

    made = run("create-admin", "root@example.com", "--password-file", str(file))
    again = run("create-admin", "Root@example.com", "--password-file", "-", says="correct horse")

    assert made.exit_code == 0, made.output
    assert "is an administrator" in made.output
    assert again.exit_code == 1
    assert "there is such a user" in again.output


@pytest.mark.usefixtures("url")
def test_uat_has_the_same_commands() -> None:
    made = CliRunner().invoke(
        uat, ["auth", "create-admin", "root@example.com", "--password-file", "-"], "correct horse"
    )

    assert made.exit_code == 0, made.output
    assert "root@example.com is an administrator" in made.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("root@example.com",), "there is nobody to ask"),
        (("root@example.com", "--password-file", "-"), "8 to 1024 letters"),
        (("root", "--password-file", "/dev/null"), "8 to 1024 letters"),
    ],
)
def test_what_is_wrong_is_said(run: type[Run], arguments: tuple[str, ...], why: str) -> None:
    answer = run("create-admin", *arguments, says="short")

    assert answer.exit_code == 1
    assert why in answer.output


@pytest.mark.parametrize("address", ["root", "root@", "@example.com", "a b@example.com", "a@b\n"])
def test_an_address_is_one(run: type[Run], address: str) -> None:
    answer = run("create-admin", address, "--password-file", "-", says="correct horse")

    assert answer.exit_code == 1
    assert "EMAIL must be an e-mail address" in answer.output


def test_the_answer_is_all_that_is_said(run: type[Run]) -> None:
    made = run("create-admin", "root@example.com", "--password-file", "-", says="correct horse")

    assert made.output.startswith("root@example.com is an administrator, with the id ")
    assert made.output.count("\n") == 1


def test_a_password_that_is_no_text_is_said(run: type[Run], tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xff\xfe correct horse")

    answer = run("create-admin", "root@example.com", "--password-file", str(file))

    assert answer.exit_code == 1
    assert answer.output == (
        "Error: the password cannot be read (UnicodeDecodeError): it must be text in UTF-8\n"
    )


def test_a_password_that_nobody_could_log_in_with_is_refused(run: type[Run]) -> None:
    answer = run("create-admin", "root@example.com", "--password-file", "-", says="x" * 1025)

    assert "8 to 1024 letters" in answer.output


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb"])
def test_a_username_is_one_that_may_be_registered(run: type[Run], name: str) -> None:
    told = ("root@example.com", "--username", name, "--password-file", "-")

    answer = run("create-admin", *told, says="correct horse")

    assert answer.exit_code == 1
    assert "the username must have 1 to 100 letters" in answer.output


def test_a_role_is_one_word(run: type[Run]) -> None:
    answer = run("give-roles", "root@example.com", "user", "orders clerk")

    assert answer.exit_code == 1
    assert "must be one word" in answer.output


def test_a_wrong_setting_is_said(run: type[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SIGNING_ALGORITHM", "none")

    answer = run("give-roles", "root@example.com", "user")

    assert answer.exit_code == 1
    assert "AUTH_SIGNING_ALGORITHM" in answer.output


def test_roles_are_given(run: type[Run]) -> None:
    told = ("root@example.com", "--password-file", "-")
    run("create-admin", *told, says="correct horse")

    given = run("give-roles", "root@example.com", "user", "orders:clerk")
    nobody = run("give-roles", "nobody@example.com", "user")

    assert given.exit_code == 0, given.output
    assert "nobody has the address" in nobody.output


def test_a_database_that_is_away_is_said(run: type[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")

    answer = run("give-roles", "root@example.com", "user")

    assert answer.exit_code == 1
    assert "the database is not available" in answer.output


async def test_there_is_no_default_password(client: httpx2.AsyncClient, parts: Parts) -> None:
    told = {"email": "admin@example.com", "password": "admin123"}

    assert (await client.post("/auth/login", json=told)).status_code == 401
    assert await parts.users.page() == []
