"""The authentication service: `python -m uat_service.serve uat_platform.auth.app:service`."""

from uat_platform.auth.parts import Parts
from uat_platform.auth.settings import AuthSettings
from uat_platform.auth.wiring import serving

__all__ = ["service"]

service = serving(Parts(AuthSettings.read("auth")))
