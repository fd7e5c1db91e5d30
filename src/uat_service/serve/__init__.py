"""Serve one service in this process: `python -m uat_service.serve MODULE:APP [--fd N] [--host H] [--port P]`.

Exit codes:

    0          ended in order
    1          cut off, because it did not end in time
    2          wrong arguments
    3          cannot start: settings, import, port, or something required that is not there
    128 + n    killed by a second signal n

`UAT_LIFELINE_FD` names a descriptor, the read end of a pipe: when its other end is gone, so is whoever started
this.
"""

__all__: list[str] = []
