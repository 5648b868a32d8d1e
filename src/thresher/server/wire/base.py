"""The base of every wire type, and the name that several carry."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class Wire(BaseModel):
    """What crosses the wire is frozen, and nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")
