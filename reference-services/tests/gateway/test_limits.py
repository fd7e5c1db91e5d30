"""Each client has its share, and is told how much of it is left."""

import re
from typing import Any

import pytest
from gateway.stand_ins import token
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from uat_platform.gateway.limits import address_of


def test_every_answer_tells_what_is_left_and_the_one_too_many_when_to_come_back(
    platform: Any,
) -> None:
    answers = [platform.gateway.get("/tight") for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    told = [re.fullmatch(r'"tight";r=(\d);t=(\d+)', each.headers["RateLimit"]) for each in answers]
    assert [one and int(one[1]) for one in told] == [2, 1, 0, 0]
    # A second that passes meanwhile is given back; a busy machine takes a few.
    assert [one and int(one[2]) for one in told[:3]] == pytest.approx([1000, 2000, 3000], abs=5)
    assert answers[0].headers["RateLimit-Policy"] == '"tight";q=3;w=3000'
    assert int(answers[3].headers["Retry-After"]) > 900
    assert answers[3].json()["type"].endswith(":rate-limited")


def test_who_shows_who_it_is_has_a_share_of_its_own(platform: Any) -> None:
    spent = [platform.gateway.get("/tight", user="ann").status_code for _ in range(4)]
    other = platform.gateway.get("/tight", user="bob")

    assert spent == [200, 200, 200, 429]
    assert other.status_code == 200


def test_a_websocket_too_many_is_told_when_to_come_back(platform: Any) -> None:
    url = f"ws://127.0.0.1:{platform.gateway.served.port}/tight"
    told = {"Authorization": f"Bearer {token('carl')}"}
    for _ in range(3):
        with connect(url, additional_headers=told):
            pass

    with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=told):
        pass

    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) > 900


def test_made_up_keys_are_counted_before_anybody_is_asked(platform: Any) -> None:
    before = platform.auth.seen.count("/auth/verify-api-key")

    answers = [
        platform.gateway.get("/tighter", **{"X-API-Key": f"sk-{number}"}) for number in range(20)
    ]

    assert answers[-1].status_code == 429
    assert platform.auth.seen.count("/auth/verify-api-key") - before <= 3


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        (("192.0.2.7", 1), "address/192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "address/192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "address/2001:db8:1:2::"),
        (("fe80::1%eth0", 1), "address/fe80::"),
        (("/run/socket", 0), "address/unknown"),
        (None, "address/unknown"),
    ],
)
def test_clients_are_told_apart_by_address_and_networks_are_one(
    client: Any, counted_as: str
) -> None:
    assert address_of({"client": client}) == counted_as
