"""The images that labels from elsewhere speak of: found among the files of the sources before anything is harvested."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from thresher.annotations import Claim, Claims
from thresher.annotations.claims import pixels_of
from thresher.annotations.names import SHA256, Names
from thresher.errors import BadInput, BadLine, Undecodable
from thresher.harvest.alike import Place, bytes_of, differing
from thresher.harvest.candidates import Source, place_of
from thresher.harvest.sources.part import Part, region_name
from thresher.pictures import shown_size
from thresher.records import Box

SHOWN: Final = 3
"""Names that a refusal tells, of however many."""

NO_IMAGE: Final = "no image has the name"
SEVERAL: Final = "several images have the name"
NO_BOX: Final = "the label has no box"
BAD_BOX: Final = "the box has no area, or is outside its image"
OTHER_LABEL: Final = "the same image has another label"
BY_HASH: Final = -1
"""In the place of a source's number: only the bytes tell which file of which source it is."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A claim that cannot be used, and why: the reason under which it is counted, and the words about this one."""

    claim: Claim
    reason: str
    what: str


@dataclass(frozen=True)
class Found:
    """What claims mean among the files of the sources.

    `names` has for each claim of one label the name that its image, or its box, has in a pool, None where it is
    unusable. `parts` are the sources of all that is to be harvested.
    """

    names: Sequence[str | None]
    parts: Sequence[Source]
    unusable: Sequence[Unusable] = ()


@dataclass
class Finder:
    """Finds the images of a file's `claims` among the candidates of `sources`; their names are read once.

    So is each image of which a size is needed, however many labels have boxes in it.
    """

    claims: Claims
    sources: Sequence[Source]
    bytes_most: int
    _names: list[Names] = field(default_factory=list)
    _there: dict[str, list[Place]] = field(default_factory=dict)
    _labels: dict[Place, Sequence[Claim]] | None = None
    _shown: dict[Place, tuple[int, int] | None] = field(default_factory=dict)

    def images(self, claims: Sequence[Claim], *, everything: bool) -> Found:
        """The images of claims; with `everything`, all other images of the sources are harvested too.

        Where the file gives an image one label, an image is unusable that has another one too, by the same name or as
        equal bytes under another one, of which one may be its SHA-256. Images behind URLs are not compared.
        """
        wanted: list[dict[str, Sequence[Box]]] = [{} for _ in self.sources]
        names: list[str | None] = []
        unusable: list[Unusable] = []
        hashed = False
        for claim in claims:
            place = self._place(claim.image)
            wrong = self._wrong(claim, place)
            if place is None or wrong is not None:
                names.append(None)
                unusable.extend([wrong] if wrong else [])
                continue
            source, name = place
            names.append(name)
            if source == BY_HASH:
                hashed = True  # only reading the files tells which one it is
            else:
                wanted[source][name] = ()
        if everything or hashed:
            return Found(names, self.sources, unusable)
        return Found(names, self._parts(wanted, 0.0), unusable)

    def boxes(self, claims: Sequence[Claim], *, margin: float) -> Found:
        """The boxes of claims, each an image of its own, cropped with a margin.

        Each is compared with the size of its image first. Raises BadInput for a source whose images are elsewhere.
        """
        for source in self.sources:
            if source.remote:
                raise BadInput(
                    "boxes are compared with their images before anything is taken in, and a list of URLs has none.",
                    where=source.name,
                    next="download the images, and give their folder to --images",
                )
        fitting = [self._find(claim.image) for claim in claims]
        sizes = self._sizes({some[0] for some in fitting if len(some) == 1})
        wanted: list[dict[str, dict[Box, None]]] = [defaultdict(dict) for _ in self.sources]
        names: list[str | None] = []
        unusable: list[Unusable] = []
        for claim, some in zip(claims, fitting, strict=True):
            wrong = _wrong_box(claim, some, sizes)
            if claim.box is None or wrong is not None:
                names.append(None)
                unusable.extend([wrong] if wrong else [])
                continue
            ((place, name),) = some
            wanted[place][name][claim.box] = None
            names.append(region_name(name, claim.box))
        return Found(names, self._parts([{name: tuple(of) for name, of in some.items()} for some in wanted], margin),
                     unusable)  # fmt: skip

    def _wrong(self, claim: Claim, place: Place | None) -> Unusable | None:
        """What is wrong with the name of an image, or with the only label that it may have."""
        if place is None:
            return _not_one(claim, [name for _, name in self._find(claim.image)])
        if self._labels is None:
            compared = self.claims.single and len(self.claims.labels) > 1
            self._labels = self._several() if compared else {}
        other = next((one for one in self._labels.get(place, ()) if one.label != claim.label), None)
        if other is None:
            return None
        what = f"{claim.image!r} is {claim.label!r} here, and the same image is {other.label!r} as {other.image!r}"
        return Unusable(claim, OTHER_LABEL, f"{what}{_at(other, self.claims)}.")

    def _several(self) -> dict[Place, Sequence[Claim]]:
        """The claims about each image that has several labels, the first of each label and name."""
        said: dict[Place, dict[str, Claim]] = defaultdict(dict)
        for claim in self.claims.claims:
            if place := self._place(claim.image):
                said[place].setdefault(claim.label, claim)
        found: dict[Place, Sequence[Claim]] = {
            place: list(some.values()) for place, some in said.items() if len(some) > 1
        }
        label_of = {place: next(iter(some)) for place, some in said.items() if place[0] != BY_HASH}
        alike = differing(self.sources, label_of, bytes_most=self.bytes_most)
        if hashes := {place[1]: [place] for place in said if place[0] == BY_HASH}:
            for place, data in bytes_of(self.sources, label_of.keys(), bytes_most=self.bytes_most):
                if (same := hashes.get(hashlib.sha256(data).hexdigest())) is not None:
                    same.append(place)
            alike += [same for same in hashes.values() if len({label for place in same for label in said[place]}) > 1]
        for places in alike:
            found |= dict.fromkeys(places, tuple(claim for place in places for claim in said[place].values()))
        return found

    def _sizes(self, wanted: Set[Place]) -> Mapping[Place, tuple[int, int] | None]:
        """Width and height as shown of these images, and of those asked for before; None for one that is unreadable."""
        unread = wanted - self._shown.keys()
        found: dict[Place, tuple[int, int] | None] = dict.fromkeys(unread)
        for place, data in bytes_of(self.sources, unread, bytes_most=self.bytes_most):
            with suppress(Undecodable):  # the harvest tells what is wrong with it
                found[place] = shown_size(data)
        self._shown |= found
        return self._shown

    def _parts(self, wanted: Sequence[Mapping[str, Sequence[Box]]], margin: float) -> list[Source]:
        return [Part(source, some, margin) for source, some in zip(self.sources, wanted, strict=True) if some]

    def _place(self, name: str) -> Place | None:
        """The one image that a name means; for the hash of bytes that no name tells, BY_HASH and the hash."""
        fitting = self._find(name)
        if not fitting and SHA256.fullmatch(mark := name.lower()):
            return BY_HASH, mark
        return fitting[0] if len(fitting) == 1 else None

    def _find(self, name: str) -> list[Place]:
        """Each source and the name in it that fit best; a name that the labels repeat is looked up once."""
        if not self._names:
            for source in self.sources:
                there = (one.name for one in source.candidates(bytes_most=self.bytes_most) if not one.beside)
                self._names.append(Names(there))
        if name not in self._there:
            self._there[name] = [
                (place, fitting) for place, names in enumerate(self._names) for fitting in names.find(name)
            ]
        return self._there[name]


def _wrong_box(
    claim: Claim, fitting: Sequence[Place], sizes: Mapping[Place, tuple[int, int] | None]
) -> Unusable | None:
    """What is wrong with the box of a claim, or with the name of its image."""
    if claim.box is None:
        return Unusable(claim, NO_BOX, f"the label {claim.label!r} of {claim.image!r} has no box.")
    if len(fitting) != 1:
        return _not_one(claim, [name for _, name in fitting])
    try:
        if (size := sizes.get(fitting[0])) is not None:
            pixels_of(claim.box, size)
    except BadInput as error:
        return Unusable(claim, BAD_BOX, f"{claim.image!r}: {error.what}")
    return None


def _not_one(claim: Claim, fitting: Sequence[str]) -> Unusable:
    if not fitting:
        return Unusable(claim, NO_IMAGE, f"no image is called {claim.image!r}.")
    told = " and ".join(repr(name) for name in fitting[:2])
    more = f" and {len(fitting) - 2:,} more" if len(fitting) > 2 else ""
    return Unusable(claim, SEVERAL, f"{claim.image!r} may be {told}{more}.")


def refuse(unusable: Sequence[Unusable], claims: Claims) -> None:
    """Raise BadInput, or BadLine where the file has lines, for the first of the claims that cannot be used, if any.

    It tells how many there are of the kind, and the first few of them.
    """
    if not unusable:
        return
    first = unusable[0]
    alike = [one for one in unusable if one.reason == first.reason]
    what = first.what
    if len(alike) > 1:
        told = ", ".join(f"{one.claim.image!r}{_at(one.claim, claims)}" for one in alike[:SHOWN])
        more = f" and {len(alike) - SHOWN:,} more" if len(alike) > SHOWN else ""
        what = f"{len(alike):,} labels cannot be used, because {first.reason}: {told}{more}."
    if others := len(unusable) - len(alike):
        what += f" {others:,} more cannot be used for other reasons."
    following = "correct the labels, or leave these out with --skip-bad"
    if claims.unit == "line" and claims.place(first.claim.line):
        raise BadLine(what, file=str(claims.file), line=first.claim.line, next=following)
    raise BadInput(what, where=claims.where(first.claim), next=following)


def _at(claim: Claim, claims: Claims) -> str:
    return f" ({place})" if (place := claims.place(claim.line)) else ""


def left_out(unusable: Sequence[Unusable]) -> dict[str, int]:
    """How many claims were left out for each reason."""
    found: dict[str, int] = defaultdict(int)
    for one in unusable:
        found[one.reason] += 1
    return dict(found)


_TAR: Final = re.compile(r"\.(tar|tgz|tar\.(gz|bz2|xz)|tbz2|txz)$", re.IGNORECASE)


def source_of(place: str) -> Source:
    """The images at a place: a folder, a tar or a WebDataset shard, a dataset with their bytes, or a list.

    A list has URLs, or paths of files.

    Raises BadInput.
    """
    from thresher.harvest.sources.dataset import from_dataset
    from thresher.harvest.sources.folder import from_folder
    from thresher.harvest.sources.paths import from_paths
    from thresher.harvest.sources.tar import from_tar
    from thresher.harvest.sources.urls import from_urls

    path = place_of(place)
    if not path.exists():
        raise BadInput("there is no such file or folder.", where=place, next="check --images")
    if (dataset := from_dataset(path)) is not None:
        return dataset
    if path.is_dir():
        return from_folder(path)
    return from_tar(path) if _TAR.search(path.name) else from_paths(path) or from_urls(path)
