"""Messages are part of the contract: they are compared word for word."""

import re


def exactly(message: str) -> str:
    """Return a pattern for `pytest.raises(match=...)` that nothing but this message fits."""
    return f"^{re.escape(message)}$"
