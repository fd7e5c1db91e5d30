"""The API gateway: `python -m uat_service.serve uat_platform.gateway.app:service`."""

import os

from uat_platform.gateway.settings import GatewaySettings
from uat_platform.gateway.wiring import serving

__all__ = ["service"]

service = serving(GatewaySettings.read("api-gateway"), os.environ)
