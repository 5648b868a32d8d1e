"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Path, Query

Name = Annotated[str, Path(max_length=64)]
After = Annotated[int, Query(ge=0, le=2**53 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]
