"""What names look like."""

from typing import Annotated

from litestar.params import PathParameter

__all__ = ["ID", "NAME", "Id", "Name"]

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}$"

Name = Annotated[str, PathParameter(pattern=NAME, description="Name of a service")]
Id = Annotated[str, PathParameter(pattern=ID, description="Id of an instance")]
