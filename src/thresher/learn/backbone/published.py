"""Networks of other publishers by name: how each prepares pictures and words, as its publisher documents it.

None of them was tried here, for no weights can be reached: whoever adds one gives the files and their hashes. SigLIP 2
(Tschannen et al. 2025) and DINOv3 (Siméoni et al. 2025) as exported to ONNX by Hugging Face's tools; the numbers are
those of each model's `preprocessor_config.json`. SigLIP 2 was trained with words in lower case, cut or filled up to 64
tokens.
"""

from dataclasses import dataclass
from typing import Final

from thresher.learn.backbone.session import Preparation

HALF = (0.5, 0.5, 0.5)
NOT_TRIED: Final = "not tried here"


@dataclass(frozen=True, slots=True)
class Published:
    """A network as its publisher documents it. `tokens` is 0 where it has no text tower."""

    page: str
    preparation: Preparation
    width: int
    tokens: int = 0
    lowercase: bool = False
    image_input: str = "pixel_values"
    text_input: str = "input_ids"
    output: str = "pooler_output"


def _siglip2(model: str, side: int, width: int) -> Published:
    preparation = Preparation(side, HALF, HALF, "stretch", "bilinear")
    return Published(f"huggingface.co/google/{model}", preparation, width, tokens=64, lowercase=True)


def _dinov3(model: str, width: int) -> Published:
    return Published(f"huggingface.co/facebook/{model}", Preparation(224, resize="stretch", filter="bilinear"), width)


PUBLISHED: Final = {
    "siglip2-base-patch16-224": _siglip2("siglip2-base-patch16-224", 224, 768),
    "siglip2-so400m-patch14-384": _siglip2("siglip2-so400m-patch14-384", 384, 1152),
    "dinov3-vits16": _dinov3("dinov3-vits16-pretrain-lvd1689m", 384),
    "dinov3-vitb16": _dinov3("dinov3-vitb16-pretrain-lvd1689m", 768),
}
