"""Each route of the four services is on its service's page, each on the page is there, and a test calls each.

When a test calls a route is said in `said_by_tests`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from four_services import services
from litestar.routes import HTTPRoute
from said_by_tests import ANY, Route, leads_to, said_in

from uat_service.app import Service
from uat_service.outer import OPERATIONS

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent
NAMES = ("auth", "gateway", "load_balancer", "metrics_aggregator")
PORTS = {"8015": "auth", "8080": "gateway", "8011": "load_balancer", "8013": "metrics_aggregator"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    return dict(services(tmp_path_factory.mktemp("services")))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_a_service_has_its_routes_and_no_others(
    made: dict[str, Service], name: str
) -> None:
    documented = {(method, path) for method, path in on_the_page(name) if method != ANY}

    assert documented - of_every_service() == routes_of(made[name]) - of_every_service()


@pytest.mark.parametrize("name", NAMES)
def test_each_route_on_a_page_is_called_by_a_test(name: str) -> None:
    functions = said_in(TESTS / name)

    missed = {route for route in on_the_page(name) if not any(f.calls(route) for f in functions)}

    assert missed == set()


def test_what_every_service_answers_is_documented_and_called_by_a_test() -> None:
    text = (ROOT / "docs/reference/service.md").read_text(encoding="utf-8")
    functions = said_in(ROOT / "tests/service/framework")

    documented = set(routes_in(text)) - {("GET", "/schema")}  # That is Litestar's.

    assert documented == of_every_service()
    assert {route for route in documented if not any(f.calls(route) for f in functions)} == set()


def test_each_address_that_a_page_asks_is_a_route() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    asked = {
        (PORTS[found["port"]], *asked_by(found))
        for page in pages
        for found in CURL.finditer(page.read_text(encoding="utf-8"))
        if found["port"] in PORTS
    }

    known = {name: on_the_page(name) | of_every_service() for name in NAMES}
    known["gateway"].add((ANY, "/api/…"))  # What its routes say.
    missed = {
        (name, method, path)
        for name, method, path in asked
        if not any(said in {method, ANY} and leads_to(path, route) for said, route in known[name])
    }

    assert len(asked) > 10
    assert missed == set()


CURL = re.compile(
    r"curl (?:-X (?P<method>[A-Z]+) )?'?http://(?:localhost|127\.0\.0\.1):(?P<port>\d+)"
    r"(?P<path>/[^\s'?]*)(?P<more>(?:[^\n]*\\\n)*[^\n]*)"
)


def asked_by(curl: re.Match[str]) -> Route:
    return curl["method"] or ("POST" if " -d " in curl["more"] else "GET"), curl["path"]


def of_every_service() -> set[Route]:
    return {("GET", path) for path in OPERATIONS}


def routes_of(service: Service) -> set[Route]:
    return {
        (method, re.sub(r"\{[^}]*\}", "{}", route.path_format))
        for route in service.litestar.routes
        for method in (route.methods if isinstance(route, HTTPRoute) else {"WS"})
        if method != "OPTIONS" and not route.path_format.startswith("/schema")
    }


def on_the_page(name: str) -> set[Route]:
    page = ROOT / "docs/services" / f"{name.replace('_', '-')}.md"
    return set(routes_in(page.read_text(encoding="utf-8")))


SPANS = re.compile(r"(?:(any) )?`(?P<methods>[A-Z]+(?:, [A-Z]+)*)? ?(?P<path>/[^`?\s]*)?[^`\s]*`")


def routes_in(text: str) -> Iterator[Route]:
    """Return what the first column of a page's tables names, and what is named with its method elsewhere."""
    for line in text.splitlines():
        row = line.startswith("|")
        methods, waiting = ["GET"] if row else [], False
        for found in SPANS.finditer(line.split("|")[1] if row else line):
            named = [ANY] if found[1] else (found["methods"] or "").split(", ")
            if named != [""]:
                # `GET`, `POST /a`: the first has no path of its own yet, and goes with that of the second.
                methods, waiting = [*(methods if waiting else []), *named], found["path"] is None
            if found["path"]:
                waiting = False
                path = re.sub(r"\{[^}]*\}", "{}", found["path"])
                yield from ((method, path) for method in methods)
