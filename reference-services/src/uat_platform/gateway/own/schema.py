"""What the schema says of own routes: how operators show who they are, and a body of TOML."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

__all__ = ["ADMIN", "TOML", "TakesToml"]

ADMIN = [{"admin": list[str]()}]
"""The security of routes for operators."""

TOML = "application/toml"


@dataclass
class TakesToml(Operation):
    """An operation whose body is a routes file."""

    def __post_init__(self) -> None:
        """Say so."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, min_length=1))
        content = {TOML: text, "text/plain": text}
        self.request_body = RequestBody(content=content, required=True)
