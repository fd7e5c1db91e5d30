"""A service framework on Litestar, and `uat`, which runs services together on one machine.

    from uat_service.app import Service

Names are imported from the module they are in: whoever runs services needs no Litestar for it.
"""

from importlib.util import find_spec

# Looked for and not imported: the first is the library of another extra, the second comes with this one alone.
for _library in ("litestar", "pydantic_settings"):
    if find_spec(_library) is None:
        raise ImportError(f"{_library} is not installed: pip install 'uat-resilience[service]'")
