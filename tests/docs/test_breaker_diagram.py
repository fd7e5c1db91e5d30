"""The picture of the breaker is the table of its transitions, drawn."""

from tests.docs.breaker_diagram import PICTURE, drawn, edges

from uat_resilience import BreakerState
from uat_resilience._core.breaker import TRANSITIONS


def test_picture_in_the_documentation_shows_the_table_as_it_is() -> None:
    committed = PICTURE.read_text(encoding="utf-8")

    assert committed == drawn(), "renew it: .venv/bin/python tests/docs/breaker_diagram.py"


def test_every_transition_is_an_arrow() -> None:
    arrows = list(edges())

    shown = {
        (state, move): new
        for old, move, new in arrows
        for state in ([old] if isinstance(old, BreakerState) else BreakerState)
    }
    assert shown == TRANSITIONS
