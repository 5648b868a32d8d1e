#!/usr/bin/env bash
# OpenVINO 2026.4.1, on 27 November 2026, on a processor with AVX-512 BF16 (AMD EPYC).
#
# Expected: a model that was compiled in float32 and exported computes in float32 when it is imported.
# Seen: INFERENCE_PRECISION_HINT is not kept in the exported model. Import compiles for bfloat16 on a processor that has
#   it, so embeddings differ in the third digit from those of the same process before, and from those of a processor
#   without bfloat16. Nothing is printed; only get_property tells.
# So: name the arithmetic in import_model as well as in compile_model, and keep its name with the vectors.
#
# Output seen, as the largest error of a product of 512 numbers, relative to the largest value:
#   compiled with f32:              f32       error 0.000001
#   the same, exported, imported:   bf16      error 0.002870
#   imported with f32:              f32       error 0.000001
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1
cd "$place"
venv/bin/python - <<'PYTHON'
import io
import sys

import numpy
import openvino
from openvino import opset13

core = openvino.Core()
if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
    sys.exit(print("This processor has no bfloat16: there is nothing to see here."))
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}
drawn = numpy.random.default_rng(1)
weights, vector = (drawn.normal(size=size).astype(numpy.float32) for size in ((512, 512), (1, 512)))
given = opset13.parameter([1, 512], numpy.float32)
model = openvino.Model([opset13.matmul(given, opset13.constant(weights), False, False)], [given], "product")
compiled = core.compile_model(model, "CPU", FLOAT32)
exported = compiled.export_model()
blob = exported.getvalue() if isinstance(exported, io.BytesIO) else exported
seen = {}
for name, run in {
    "compiled with f32:": compiled,
    "the same, exported, imported:": core.import_model(blob, "CPU"),
    "imported with f32:": core.import_model(blob, "CPU", FLOAT32),
}.items():
    precision = run.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    error = float(numpy.abs(run(vector)[0] - vector @ weights).max() / numpy.abs(vector @ weights).max())
    seen[name] = precision
    print(f"{name:31} {precision:9} error {error:.6f}")
assert [*seen.values()] == ["f32", "bf16", "f32"], seen
PYTHON
