"""Which pictures share a similar group.

For now only equal fingerprints do: the same picture in another format, size or turn, when all 256 bits survived it.
Pictures a few bits apart stay alone. This file is the place for a nearest-neighbour search over the fingerprints;
the store groups by whatever key is handed to it from here.
"""

LEAST_BITS = 24
"""Set or unset bits below which a fingerprint says nothing: a blank wall, a clear sky, a smooth gradient."""


def group_key(fingerprint: str) -> str:
    """The key whose holders share a group; "" for a picture that shows too little to be told from others."""
    bits = int(fingerprint, 16).bit_count()
    return fingerprint if LEAST_BITS <= bits <= 4 * len(fingerprint) - LEAST_BITS else ""
