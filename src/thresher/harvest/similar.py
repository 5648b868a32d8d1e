"""Which images form a similar group.

At present only equal fingerprints do: the same image in another format, size or rotation, if all 256 bits are equal.
Images a few bits apart are not grouped. This file is the place for a nearest-neighbour search over the fingerprints;
the store groups images by the keys it gets from here.
"""

LEAST_BITS = 24
"""Set or unset bits below which a fingerprint says nothing: a blank wall, a clear sky, a smooth gradient."""


def group_key(fingerprint: str) -> str:
    """The key that all images of a group share; "" for an image without enough detail to tell it from others."""
    bits = int(fingerprint, 16).bit_count()
    return fingerprint if LEAST_BITS <= bits <= 4 * len(fingerprint) - LEAST_BITS else ""
