"""How hard the property tests look.

`ci` draws the same examples every time, so a commit that passes keeps passing. `soak` draws new ones, and
many of them: `make soak`.
"""

import os

from hypothesis import settings

settings.register_profile(
    "ci", deadline=None, derandomize=True, max_examples=60, stateful_step_count=40
)
settings.register_profile(
    "soak", deadline=None, max_examples=2_000, stateful_step_count=100, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
