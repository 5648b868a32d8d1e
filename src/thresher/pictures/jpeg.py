"""Plain JPEGs by simplejpeg: the pixels of Pillow's decoder (both are libjpeg-turbo), without its own image between.

Pillow has read the header first, so its checks hold here too. What is not plain, or has anything that libjpeg warns of,
is left to Pillow, which says why it cannot be decoded, or decodes it all the same.
"""

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from thresher.pictures.scratch import block


def plain_pixels(image: Image.Image, data: bytes, *, least: int) -> NDArray[np.uint8] | None:
    """The pixels [h, w, 3] of an opened JPEG of three colours, no side shorter than `least`; None for anything else.

    As Pillow does, it is decoded at 1/2, 1/4 or 1/8 of its size if that is enough. The pixels are valid until the next
    call in this thread.
    """
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    image.draft(None, (least, least))
    wide, high = image.size
    buffer = block("decoded", wide * high * 3)
    try:
        # a scale between those of Pillow, as 3/8, would be larger than the least size that is given here
        found: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", min_height=high, min_width=wide, buffer=buffer)
    except ValueError:
        return None
    return found if found.shape == (high, wide, 3) else None
