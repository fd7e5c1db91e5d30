import pytest

import uat_resilience


def test_every_public_name_is_there_and_no_other() -> None:
    for name in uat_resilience.__all__:
        assert getattr(uat_resilience, name) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        _ = uat_resilience.nothing
