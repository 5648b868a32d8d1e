"""A small network of two towers, made on the spot: a picture's vector is its mean colour, a text's the colour that it
names. Its tokenizer is a byte-pair encoding in the form of SigLIP 2's, trained on a few sentences.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

SIDE = 16
TOKENS = 12
SENTENCES = ["a red car at night", "a green field", "a photo of a blue sea", "something grey", "red", "green", "blue"]
COLOURS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1)}


@dataclass(frozen=True)
class Towers:
    """The files of a network: image tower, text tower, tokenizer."""

    image: Path
    text: Path
    tokenizer: Path


def two_towers(folder: Path, *, width: int = 3) -> Towers:
    """Write the three files; `width` is the length of the text tower's vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = colour_tokenizer(folder / "tokenizer.json")
    image = image_tower(folder / "vision_model.onnx")
    return Towers(image, text_tower(folder / "text_model.onnx", tokenizer, width=width), folder / "tokenizer.json")


def colour_tokenizer(path: Path) -> Tokenizer:
    """As SigLIP 2's: spaces become a mark, bytes for what is unknown, <eos> behind each text."""
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made.train_from_iterator(
        [f"{sentence} {sentence}" for sentence in SENTENCES] * 4,
        trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False),
    )
    made.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    made.save(str(path))
    return made


def image_tower(path: Path, *, given: str = "pixel_values", output: str = "pooler_output") -> Path:
    """From normalised pixels to the mean colour, beside the states of every place as published networks have them."""
    nodes = [
        onnx.helper.make_node("ReduceMean", [given], [output], axes=[2, 3], keepdims=0),
        onnx.helper.make_node("Identity", [given], ["last_hidden_state"]),
    ]
    return _saved(path, nodes, [(given, onnx.TensorProto.FLOAT, ["batch", 3, "height", "width"])], output, 3)


def text_tower(
    path: Path, tokenizer: Tokenizer, *, width: int = 3, given: str = "input_ids", not_numbers: bool = False
) -> Path:
    """From tokens to the mean of the colours that they name; a token that names none is a little of each."""
    table = np.full((tokenizer.get_vocab_size(), width), 0.01, np.float32)
    for colour, vector in COLOURS.items():
        for token in tokenizer.encode(f"a {colour}").ids:
            if colour in str(tokenizer.id_to_token(token)):
                table[token, :3] = np.array(vector)[: min(3, width)]
    if not_numbers:
        table[:] = np.nan
    nodes = [
        onnx.helper.make_node("Gather", ["table", given], ["last_hidden_state"]),
        onnx.helper.make_node("ReduceMean", ["last_hidden_state"], ["pooler_output"], axes=[1], keepdims=0),
    ]
    inputs: list[tuple[str, int, list[int | str]]] = [(given, onnx.TensorProto.INT64, ["batch", "sequence"])]
    constants = [onnx.numpy_helper.from_array(table, "table")]
    return _saved(path, nodes, inputs, "pooler_output", width, constants)


def _saved(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[tuple[str, int, list[int | str]]],
    output: str,
    width: int,
    constants: list[onnx.TensorProto] | None = None,
) -> Path:
    info, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    outputs = [info("last_hidden_state", float32, None), info(output, float32, ["batch", width])]
    graph = onnx.helper.make_graph(nodes, "tower", [info(*given) for given in inputs], outputs, constants or [])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path
