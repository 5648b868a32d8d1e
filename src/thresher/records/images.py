"""Images: admitted, stored, rendered; their origin, and refused files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alias:
    """A further name of an image: `kind` is "file", "url" or "id"."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class NewImage:
    """An admitted image to be stored; `data` are its unchanged bytes.

    `data` is None for an image kept by reference: then `sha256` and a "url" alias must be given. `fingerprint` is empty
    for one that no other may be like. `similar` is the SHA-256 of an image whose similar group it joins, or empty for
    one that stands alone, after it was compared with `compared` others of its fingerprint.
    """

    sha256: str
    data: bytes | None
    width: int
    height: int
    format: str
    orientation: int = 1
    fingerprint: str = ""
    bytes: int = 0
    aliases: tuple[Alias, ...] = ()
    similar: str = ""
    compared: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image. Width and height are as shown, after `orientation` (EXIF 1 to 8) is applied.

    `similar` is the row of the image that represents its similar group; its own row when it stands alone.
    """

    row: int
    sha256: str
    width: int
    height: int
    format: str
    orientation: int
    bytes: int
    similar: int
    reference: bool = False
    aliases: tuple[Alias, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """An image as people see it, encoded, and the seconds that fetching and making it took."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Origin:
    """How images came into a pool, kept for the receipts."""

    source: str
    query: str = ""
    licence: str = ""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that was not admitted: the counted `reason` and its `detail`."""

    name: str
    reason: str
    detail: str
    at_ms: int
