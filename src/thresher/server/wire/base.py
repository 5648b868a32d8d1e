"""The base of every wire type, and the name that several carry."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class Wire(BaseModel):
    """A wire type is frozen and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
