"""Every way to damage a release, by its name; the manifest is sealed after each. One module for each part of it."""

from tests.verify.damages import claims, evidence, frozen, log, manifest, pictures, pool, table, webdataset
from tests.verify.damages.frozen import CAUGHT_BY_THE_HEAD_ALONE, SWAPS, swapped
from tests.verify.damages.log import flipped
from tests.verify.damages.part import EVERY, TABLE, Damage

__all__ = ["CAUGHT_BY_THE_HEAD_ALONE", "DAMAGES", "EVERY", "SWAPS", "TABLE", "flipped", "swapped"]

PARTS = (pictures, webdataset, table, claims, frozen, log, evidence, pool, manifest)
DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    name: found for part in PARTS for name, found in part.damage.damages.items()
}
assert len(DAMAGES) == sum(len(part.damage.damages) for part in PARTS)
