"""What stands in front of a service sees what is not for operators, and says itself which headers there are."""

from tests.service.framework.running import started


def test_front_answers_in_its_own_headers_and_hands_on_the_rest() -> None:
    with started("fronted:service") as running:
        running.listening()
        with running.client() as client:
            fronted = client.get("/anything", headers={"X-ODD": "1"})
            own, health = client.get("/own"), client.get("/health/live")

    assert fronted.text == "front"
    assert "X-ODD" in fronted.headers["x-spelled"].split(",")
    assert "date" not in fronted.headers
    assert own.text == "own"
    assert health.json()["status"] == "healthy"
