"""Requests get to a host of their service, as they were sent, and to another one where that may be."""

import socket
import threading
from collections import Counter
from typing import Any

import httpx
import pytest


def test_the_prefix_is_removed_and_the_rest_is_left_as_it_is(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    balancer.register("plain", host.url)

    answer = balancer.client.get("/proxy/plain/a%2Fb//c?x=%20")
    balancer.leave("plain", host.id)

    assert answer.text == f"{host.server_port} /a%2Fb//c?x=%20"
    assert answer.headers["x-load-balancer"] == "load-balancer"
    assert answer.headers["x-load-balancer-instance"] == host.id
    assert host.headers["x-forwarded-by"] == "load-balancer"
    assert len(host.headers["x-request-id"]) >= 32


def test_old_paths_lead_to_their_services(balancer: Any, hosts: Any) -> None:
    names = {"vision": "rust_vision", "ai": "rust_ai_core", "analytics": "rust_analytics"}
    (host,) = hosts(1)
    for alias, service in names.items():
        balancer.register(service, host.url)
        assert balancer.client.get(f"/{alias}/x").text.endswith(" /x")


def test_a_service_nobody_knows_is_unavailable_at_once(balancer: Any) -> None:
    answer = balancer.client.get("/proxy/nobody/x")

    assert answer.status_code == 503
    assert answer.json()["error"] == "Service unavailable"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.elapsed.total_seconds() < 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_get_that_fails_goes_to_another_host(balancer: Any, hosts: Any, status: int) -> None:
    good, bad = hosts(2)
    bad.status = status
    for each in (good, bad):
        balancer.register(f"again-{status}", each.url)

    answers = [balancer.client.get(f"/proxy/again-{status}/") for _ in range(12)]
    shown = balancer.host(f"again-{status}", bad.id)

    assert {each.status_code for each in answers} == {200}
    assert bad.asked, "nobody tried the bad one"
    assert shown["error_count"] == len(bad.asked)


def test_an_answer_that_breaks_off_counts_against_its_host(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    host.more = {"Content-Length": "100", "Connection": "close"}
    balancer.register("half", host.url)

    with pytest.raises(httpx.RemoteProtocolError):
        balancer.client.get("/proxy/half/")

    shown = balancer.host("half", host.id)
    assert (shown["error_count"], shown["running"]) == (1, 0)
    assert shown["failure_share"] > 0


def test_a_client_that_leaves_says_nothing_about_the_host(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    balancer.register("left", host.url)
    host.gate.clear()

    with socket.create_connection(("127.0.0.1", balancer.running.port)) as client:
        client.sendall(b"GET /proxy/left/ HTTP/1.1\r\nHost: x\r\n\r\n")
        balancer.until(lambda: balancer.host("left", host.id)["running"] == 1 and host.asked)

    balancer.until(lambda: balancer.host("left", host.id)["running"] == 0)
    shown = balancer.host("left", host.id)
    assert (shown["error_count"], shown["failure_share"]) == (0, 0)


def test_a_post_that_was_answered_is_sent_once(balancer: Any, hosts: Any) -> None:
    both = hosts(2)
    for each in both:
        each.status = 503
        balancer.register("once", each.url)

    answer = balancer.client.post("/proxy/once/", content=b"x")

    assert answer.status_code == 503
    assert sum(len(each.asked) for each in both) == 1


def test_a_post_whose_connection_breaks_is_sent_once(balancer: Any, hosts: Any) -> None:
    both = hosts(2)
    for each in both:
        each.silent = True
        balancer.register("broken", each.url)

    answer = balancer.client.post("/proxy/broken/", content=b"x")

    assert answer.status_code == 502
    assert answer.json()["error"] == "Service temporarily unavailable"
    assert sum(len(each.asked) for each in both) == 1


def test_a_post_with_an_idempotency_key_goes_to_another_host(balancer: Any, hosts: Any) -> None:
    both = hosts(2)
    for each in both:
        each.status = 503
        balancer.register("keyed", each.url)

    balancer.client.post("/proxy/keyed/", content=b"x", headers={"Idempotency-Key": "7"})

    assert [len(each.asked) for each in both] == [1, 1]


def test_who_repeats_by_itself_is_not_helped(balancer: Any, hosts: Any) -> None:
    both = hosts(2)
    for each in both:
        each.status = 503
        balancer.register("owned", each.url)

    balancer.client.get("/proxy/owned/", headers={"X-Retry-Attempt": "1"})

    assert sum(len(each.asked) for each in both) == 1


def test_an_answer_that_says_so_is_final(balancer: Any, hosts: Any) -> None:
    both = hosts(2)
    for each in both:
        each.status, each.more = 503, {"x-should-retry": "false"}
        balancer.register("final", each.url)

    balancer.client.get("/proxy/final/")

    assert sum(len(each.asked) for each in both) == 1


def test_a_post_that_was_not_sent_goes_to_another_host(balancer: Any, hosts: Any) -> None:
    good, gone = hosts(2)
    for each in (good, gone):
        balancer.register("unsent", each.url)
    gone.close()

    answers = [balancer.client.post("/proxy/unsent/", content=b"x") for _ in range(8)]

    assert {each.status_code for each in answers} == {200}
    balancer.until(lambda: balancer.host("unsent", gone.id)["state"] == "down")


def test_retries_stay_within_the_budget(balancer: Any, hosts: Any) -> None:
    # At most half of them are ejected, so that there is always another one to go to.
    all_of_them = hosts(4)
    for each in all_of_them:
        each.status = 503
        balancer.register("thrifty", each.url)

    for _ in range(100):
        balancer.client.get("/proxy/thrifty/")

    asked = sum(len(each.asked) for each in all_of_them)
    assert 100 < asked < 150, "a tenth of the requests, and a few for the seconds that it takes"


def test_the_same_key_gets_to_the_same_host(balancer: Any, hosts: Any) -> None:
    for each in hosts(3):
        balancer.register("sticky", each.url)

    seen = {
        key: {
            balancer.client.get("/proxy/sticky/", headers={"X-Affinity-Key": key}).text
            for _ in range(3)
        }
        for key in "abcdefghij"
    }

    assert all(len(each) == 1 for each in seen.values())
    assert len(set.union(*seen.values())) > 1


def test_a_request_waits_for_a_service_that_restarts(balancer: Any, hosts: Any) -> None:
    (host,) = hosts(1)
    balancer.register("restarts", host.url)
    balancer.leave("restarts", host.id)
    got: list[int] = []
    asking = threading.Thread(
        target=lambda: got.append(balancer.client.get("/proxy/restarts/").status_code)
    )
    asking.start()
    balancer.register("restarts", host.url)
    asking.join()

    assert got == [200]


def test_simulation_says_where_and_why_and_sends_nothing(balancer: Any, hosts: Any) -> None:
    three = hosts(3)
    for each in three:
        balancer.register("imagined", each.url)

    told = balancer.client.get("/simulate?service=imagined&requests=30").json()
    turns = balancer.client.get(
        "/simulate?service=imagined&requests=30&algorithm=round-robin"
    ).json()

    assert told["host"] in {each.id for each in three}
    assert told["retry"] in {each.id for each in three} - {told["host"]}
    assert "drawn by lot" in told["why"]
    assert Counter(turns["picks"]) == {each.id: 10 for each in three}
    assert not any(each.asked for each in three)
    assert balancer.service("imagined")["instances"][0]["request_count"] == 0


@pytest.mark.parametrize("method", ["GET", "QUERY", "POST"])
def test_simulation_sends_again_what_the_traffic_does(
    balancer: Any, hosts: Any, method: str
) -> None:
    name = f"imagined-{method.lower()}"
    for each in hosts(2):
        balancer.register(name, each.url)

    told = balancer.client.get(f"/simulate?service={name}&method={method}").json()

    assert (told["retry"] is not None) == (method != "POST")
