"""Play a story on the whole platform: a user, two replicas, a death, an illness, and nobody notices.

Run: `python -m examples.story` from the root of the repository. With `--stay` the platform stays until Ctrl-C, and
its dashboard can be looked at.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from examples.story.plot import Plot, PlotError
from examples.story.stage import Stage, StageError


async def story(*, stay: bool) -> None:
    """Set the stage, play, and clear it away."""
    token = secrets.token_urlsafe()
    with tempfile.TemporaryDirectory(prefix="uat-story-") as directory:
        print("The platform starts: four services, and a catalog of two replicas.", flush=True)
        async with Stage(Path(directory), {"ADMIN_TOKEN": token}) as stage:
            await Plot(stage, admin_token=token, tell=_print).play()
            if stay:
                print("\nIt stays like this until you press Ctrl-C.", flush=True)
                await asyncio.Event().wait()
            print("\nCtrl-C: everything ends in the reverse order.", flush=True)
        print("All of it has ended, with exit code 0. Nothing has failed.", flush=True)


def main() -> int:
    """Play; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.story", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--stay", action="store_true", help="keep the platform until Ctrl-C")
    stay, code = parser.parse_args().stay, 0
    try:
        asyncio.run(story(stay=stay))
    except* KeyboardInterrupt:
        code = 130
    except* (PlotError, StageError) as group:
        code = 1
        for error in group.exceptions:
            print(f"\nThat was not in the story: {error}", file=sys.stderr)
    return code


def _print(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
