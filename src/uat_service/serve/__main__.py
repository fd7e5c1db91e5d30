"""`python -m uat_service.serve`: what is imported on the way is half of the start."""

import gc
import sys

from uat_service.serve.importing import Thrift

gc.disable()  # What is imported stays: to look for garbage among it would take an eighth of the start.
sys.meta_path.insert(0, Thrift())

from uat_service.serve.command import main  # noqa: E402 - see above

if __name__ == "__main__":
    main()
