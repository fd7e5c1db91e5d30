"""Logs: JSON, one line for each entry, on standard output, whatever is logged and whoever reads it.

configuration     structlog and the standard library write such lines
request_lines     the line about a request, made at once
lines             whole lines on their way out
"""

from uat_service.logs.configuration import configure
from uat_service.logs.lines import Lines
from uat_service.logs.request_lines import tell_request

__all__ = ["Lines", "configure", "tell_request"]
