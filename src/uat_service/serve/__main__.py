"""`python -m uat_service.serve`: what is imported on the way is half of the start."""

import gc
from importlib import import_module

from uat_service.serve.importing import unseen

gc.disable()  # What is imported stays: to look for garbage among it would take an eighth of the start.

# It would take rich for the tracebacks on a terminal, of which a service has none: a sixth of the start.
with unseen("rich"):
    import_module("structlog")

from uat_service.serve.command import main  # noqa: E402 - see above

if __name__ == "__main__":
    main()
