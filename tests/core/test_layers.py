"""Values laid over one another, and taken off in any order."""

from hypothesis import given
from hypothesis import strategies as st

from uat_resilience._core.layers import Layers


def test_what_lies_at_the_bottom_counts_when_all_else_is_off() -> None:
    layers = Layers("bottom")

    assert layers.take_off(layers.put_on("top")) == "bottom"


def test_value_that_is_taken_off_from_below_does_not_uncover_another() -> None:
    layers = Layers("bottom")
    lower = layers.put_on("lower")
    upper = layers.put_on("upper")

    assert layers.take_off(lower) == "upper"
    assert layers.take_off(upper) == "bottom"


@given(moves=st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=40))
def test_newest_of_what_is_still_on_counts(moves: list[int | None]) -> None:
    """None lays a value on; a number says which of those that lie there is taken off."""
    layers: Layers[int] = Layers(-1)
    lying: list[tuple[object, int]] = []

    for value, move in enumerate(moves):
        if move is None or not lying:
            lying.append((layers.put_on(value), value))
        else:
            key, _ = lying.pop(move % len(lying))
            assert layers.take_off(key) == (lying[-1][1] if lying else -1)
