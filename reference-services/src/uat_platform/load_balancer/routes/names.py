"""What names look like."""

from typing import Annotated

from litestar.params import PathParameter

from uat_service.forms import form

__all__ = ["ID", "NAME", "OWN_ID", "Id", "Name"]

NAME = form(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
    "1 to 100 letters, digits, dots, underscores and hyphens, a letter or digit first",
)
_ID = "[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}"
_IN_WORDS = "1 to 200 letters, digits and any of `._:@-`, a letter or digit first"
ID = form(f"^{_ID}$", _IN_WORDS)
OWN_ID = form(f"^({_ID})?$", f"empty, or {_IN_WORDS}")

Name = Annotated[str, PathParameter(pattern=NAME, description="Name of a service")]
Id = Annotated[str, PathParameter(pattern=ID, description="Id of an instance")]
