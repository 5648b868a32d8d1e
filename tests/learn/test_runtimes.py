"""A backbone is run by the fastest runtime that its arithmetic allows, and vectors of two arithmetics never mix."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.filled import fill
from tests.learn.figures.make import cosines
from tests.learn.graphs import mean_graph

from thresher.errors import BadInput, BadSetting
from thresher.learn.backbone import Backbone, How, fastest, kept_in, open_backbone, open_vino
from thresher.learn.backbone.fastest import kind_of, measured
from thresher.learn.backbone.onnx_runtime import Session
from thresher.learn.backbone.processor import described, has_int8
from thresher.learn.backbone.runtimes import DEFAULT, RUNTIMES
from thresher.learn.embed import column, column_when_new, embed
from thresher.learn.vectors import embedded
from thresher.settings import Settings
from thresher.store.contract import Store

LITE = "efficientnet-lite0"
HERE = Path(__file__).parent
OPENVINO = Path(os.environ.get("THRESHER_TEST_OPENVINO", Path(sys.prefix) / "openvino"))
without_int8 = pytest.mark.skipif(not has_int8(), reason="this processor has no exact products of 8 bits")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.but(processes=1, cache=str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> Iterator[None]:
    """A process remembers its choices: each test begins without."""
    fastest._kept.cache_clear()
    fastest._allowed.cache_clear()
    yield
    fastest._kept.cache_clear()
    fastest._allowed.cache_clear()


def test_an_unknown_arithmetic_is_named_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(BadSetting, match=r"float16.*alike, float32, int8, bfloat16, fastest"):
        column_when_new(settings.but(arithmetic="float16"))


def test_float32_keeps_the_name_and_needs_no_measurement(settings: Settings) -> None:
    assert column_when_new(settings.but(arithmetic="float32")) == f"features/{LITE}"
    assert (
        column_when_new(settings.but(backbone="efficientnet-lite2")) == "features/efficientnet-lite2"
    )  # never measured
    assert not Path(settings.cache).exists()


@without_int8
def test_each_arithmetic_embeds_into_a_column_of_its_own(store: Store, settings: Settings) -> None:
    rows = np.array(fill(store, 3), np.int64)
    cheap, settings = settings.but(arithmetic="int8"), settings.but(arithmetic="float32")
    assert embed(rows, store=store, settings=settings) == 3
    assert embed(rows, store=store, settings=cheap) == 3
    assert embed(rows, store=store, settings=cheap) == 0
    assert column_when_new(settings) != column_when_new(cheap)
    assert column_when_new(cheap).startswith(f"features/{LITE}.int8-")
    ours, theirs = (embedded(of, rows, store=store).take(np.arange(3)) for of in (cheap, settings))
    assert (cosines(ours, theirs) > 0.95).all()
    assert not np.allclose(ours, theirs, atol=1e-3)


@without_int8
def test_a_new_workspace_takes_the_fastest_that_decides_alike_and_an_older_one_goes_on(
    store: Store, settings: Settings
) -> None:
    rows = np.array(fill(store, 3), np.int64)
    assert kind_of(LITE, settings) != ""
    embed(rows[:1], store=store, settings=settings.but(arithmetic="float32"))
    assert embed(rows, store=store, settings=settings) == 2  # into the vectors that are there
    assert column(settings, store) == f"features/{LITE}"


@without_int8
@pytest.mark.parametrize(("most", "fewer"), [("float32", "int8"), ("int8", "float32")])
def test_a_workspace_goes_on_with_the_arithmetic_of_most_of_its_vectors(
    store: Store, settings: Settings, most: str, fewer: str
) -> None:
    rows = np.array(fill(store, 3), np.int64)
    embed(rows, store=store, settings=settings.but(arithmetic=most))
    embed(rows[:1], store=store, settings=settings.but(arithmetic=fewer))
    assert column(settings, store) == column(settings.but(arithmetic=most), store)
    assert embed(rows, store=store, settings=settings) == 0


@without_int8
def test_of_two_arithmetics_with_equally_many_vectors_the_faster_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [LITE, LITE + RUNTIMES["onnxruntime-int8"].kind]
    for order in ((DEFAULT, "onnxruntime-int8"), ("onnxruntime-int8", DEFAULT)):
        found = [fastest.Measured(name, 2, 1.0) for name in order]
        monkeypatch.setattr(fastest, "measured", lambda *_, found=found: found)
        assert kind_of(LITE, settings, there, lambda _: 7) == RUNTIMES[order[0]].kind


def test_what_this_machine_cannot_compute_is_embedded_in_float32_and_told(
    store: Store, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = str(mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32]))  # int8 is there for built-in networks only
    settings = settings.but(backbone=graph)
    rows = np.array(fill(store, 3), np.int64)
    embed(rows[:2], store=store, settings=settings)
    with caplog.at_level(logging.WARNING):
        assert embed(rows, store=store, settings=settings.but(arithmetic="int8")) == 1
    assert "has no int8 on this machine: its vectors are made in float32" in caplog.text
    assert column_when_new(settings.but(arithmetic="int8")) == column_when_new(settings)
    with pytest.raises(BadInput, match="no int8 graph"):
        open_backbone(graph, cache=tmp_path, how=How("onnxruntime-int8"))


@without_int8
def test_the_measurement_is_made_once_and_a_harmed_one_anew(settings: Settings) -> None:
    settings = settings.but(arithmetic="int8")
    first = measured(LITE, settings)
    (path,) = (Path(settings.cache) / "backbones" / "fastest").glob("*.json")
    written = path.stat().st_mtime_ns
    fastest._kept.cache_clear()
    assert measured(LITE, settings) == first
    assert path.stat().st_mtime_ns == written
    assert [found["runtime"] for found in json.loads(path.read_text())] == [found.runtime for found in first]
    fastest._kept.cache_clear()
    path.write_text("[{")
    assert {found.runtime for found in measured(LITE, settings)} == {found.runtime for found in first}
    json.loads(path.read_text())


def test_an_openvino_that_cannot_be_imported_is_left_out_and_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "openvino").mkdir()
    (tmp_path / "openvino" / "__init__.py").write_text("raise ImportError('a library of it is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    assert [open_vino.has(arithmetic) for arithmetic in ("float32", "bfloat16")] == [True, False]
    here = replace(RUNTIMES["openvino"], present=lambda: open_vino.has("float32"))
    monkeypatch.setattr(fastest, "RUNTIMES", {**RUNTIMES, "openvino": here})
    graph = mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32])
    assert [found.runtime for found in measured(str(graph), settings)] == [DEFAULT]
    assert "is not run by openvino: openvino is not installed" in caplog.text


def test_a_processor_is_described_by_its_name_and_its_instructions(tmp_path: Path) -> None:
    cores = "model name : Fast\nMHz : {}\nflags : avx2 avx512_vnni\n\n"
    (tmp_path / "cpuinfo").write_text(cores.format(1000) + cores.format(2000))
    (tmp_path / "later").write_text(cores.format(3000) + cores.format(4000))
    one, two = (described(tmp_path / name) for name in ("cpuinfo", "later"))
    assert one == two
    assert one.endswith("Fast avx2 avx512_vnni ")
    assert described(tmp_path / "none")


def quickly(*_: object) -> list[fastest.Measured]:
    """A measurement: what it finds does not matter here."""
    time.sleep(0.05)
    return [fastest.Measured(DEFAULT, 8, 1.0)]


@pytest.fixture
def _two_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every processor there is something to measure."""
    monkeypatch.setattr(fastest, "_allowed", lru_cache(lambda *_: (DEFAULT, "onnxruntime-int8")))


@pytest.mark.usefixtures("_two_runtimes")
def test_threads_of_one_process_measure_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    began, start = list[int](), threading.Barrier(4)

    def told(*_: object) -> list[fastest.Measured]:
        began.append(1)
        return quickly()

    def asked(_: int) -> list[fastest.Measured]:
        start.wait()
        return measured(LITE, settings)

    monkeypatch.setattr(fastest, "_measure", told)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(asked, range(4))) == [quickly()] * 4
    assert len(began) == 1


@pytest.mark.usefixtures("_two_runtimes")
def test_a_cache_that_cannot_be_written_costs_a_line_in_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fastest, "_measure", quickly)
    kept_in(settings).mkdir(parents=True)
    (kept_in(settings) / "fastest").write_text("no folder")
    assert measured(LITE, settings) == quickly()
    assert "is measured by each process anew: " in caplog.text


@pytest.mark.usefixtures("_two_runtimes")
def test_processes_that_measure_otherwise_end_with_one_choice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one measures the opposite, and is done before the first."""
    there, answers = [DEFAULT, "onnxruntime-int8"], list[tuple[fastest.Measured, ...]]()

    def opposite(part: str, names: tuple[str, ...], cache: Path) -> list[fastest.Measured]:
        if not answers:
            answers.append(())  # it has begun
            answers.append(fastest._kept.__wrapped__(part, names, cache, LITE))
            return [fastest.Measured(name, 8, ms) for ms, name in enumerate(there)]
        return [fastest.Measured(name, 8, ms) for ms, name in enumerate(reversed(there))]

    monkeypatch.setattr(fastest, "_measure", opposite)
    assert tuple(measured(LITE, settings)) == answers[1]


def test_what_is_measured_anew_moves_no_workspace_with_vectors(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {name: RUNTIMES[name].kind for name in ("onnxruntime-int8", "openvino-int8", DEFAULT)}
    for arithmetic in ("alike", "fastest", "int8"):
        for cores in range(3):  # each with another order of the three
            order = [*list(kinds)[cores:], *list(kinds)[:cores]]
            monkeypatch.setattr(fastest, "measured", lambda *_, order=order: [fastest.Measured(n, 8, 1) for n in order])
            for kind in (kinds["onnxruntime-int8"], kinds["openvino-int8"]):
                assert kind_of(LITE, settings.but(arithmetic=arithmetic), [LITE + kind]) == kind


def test_a_large_network_is_measured_with_no_more_pictures_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = open_backbone(str(mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32])), cache=tmp_path)
    runs = list[int]()

    def slow(_: str, __: Backbone, batch: int) -> float:
        runs.append(batch)
        return 10.0 if len(runs) == 1 else 0.3  # seconds an image: the first run prepares the graph

    monkeypatch.setattr(fastest, "_timed", slow)
    assert fastest._prepared(DEFAULT, graph) == {2: 0.3, 4: 0.3}
    assert runs == [2, 2, 4, 4]  # eight would take longer than a second too


class Limited(Session):
    """A runtime that cannot run four pictures at once."""

    def run(self, output: str, values: NDArray[Any]) -> NDArray[Any]:
        if len(values) == 4:
            raise RuntimeError("out of memory")
        return super().run(output, values)


def test_a_number_of_pictures_that_a_runtime_cannot_run_is_not_taken(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(RUNTIMES, "openvino", replace(RUNTIMES[DEFAULT], open=Limited, batches=(4, 8)))
    graph = str(mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32]))
    found = measured(graph, settings.but(arithmetic="float32"))
    assert {one.runtime: one.batch for one in found}["openvino"] == 8
    assert "not run by openvino with 4 pictures at once: " in caplog.text
    fastest._kept.cache_clear()
    monkeypatch.setitem(RUNTIMES, "openvino", replace(RUNTIMES[DEFAULT], open=Limited, batches=(4,)))
    found = measured(graph, settings.but(arithmetic="float32", cache=str(tmp_path / "other")))
    assert [one.runtime for one in found] == [DEFAULT]


@pytest.mark.parametrize("name", ["cuda", "tensorrt"])
def test_a_gpu_that_is_not_there_is_never_taken_for_one(name: str, tmp_path: Path) -> None:
    if RUNTIMES[name].present():
        return  # the measurement decides there
    graph = mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32])
    with pytest.raises(BadInput, match="Execution"):
        open_backbone(str(graph), cache=tmp_path, how=How(name))


# --- OpenVINO, which `make test` puts beside the environment ---------------------------------------------------------


@pytest.fixture(scope="module")
def with_openvino(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What a process with the extra finds: run once, for it imports and compiles."""
    assert (OPENVINO / "openvino").is_dir(), f"OpenVINO is not in {OPENVINO}. Next: make .venv/openvino/.ready"
    folder = tmp_path_factory.mktemp("openvino")
    paths = [str(OPENVINO), *(path for path in sys.path if path)]
    done = subprocess.run(
        [sys.executable, str(HERE / "with_openvino.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_openvino_in_float32_gives_the_vectors_of_onnx_runtime(with_openvino: Mapping[str, Any]) -> None:
    assert with_openvino["cosines"]["openvino"] > 0.999999
    assert with_openvino["names"]["openvino"] == LITE
    assert {"openvino", DEFAULT} <= set(with_openvino["measured"])


def test_openvino_compiles_one_graph_for_any_number_of_pictures(with_openvino: Mapping[str, Any]) -> None:
    assert set(with_openvino["compiled"]) == {1}
    assert all(with_openvino["alike"])


def test_openvino_in_a_cheaper_arithmetic_is_near_and_named(with_openvino: Mapping[str, Any]) -> None:
    cheaper = {name: RUNTIMES[name].kind for name in ("openvino-bfloat16", "openvino-int8")}
    present = {name: kind for name, kind in cheaper.items() if name in with_openvino["present"]}
    for name, kind in present.items():
        assert 0.98 < with_openvino["cosines"][name] < 0.99999
        assert with_openvino["names"][name] == LITE + kind
    # a processor without the arithmetic embeds into the column of float32
    assert with_openvino["kinds"]["bfloat16"] == present.get("openvino-bfloat16", "")


def test_a_graph_that_openvino_cannot_run_is_run_by_onnx_runtime(with_openvino: Mapping[str, Any]) -> None:
    assert with_openvino["unknown"] == [DEFAULT]
    assert "is not run by openvino: " in with_openvino["log"]


def test_openvino_reports_to_nobody(with_openvino: Mapping[str, Any]) -> None:
    assert with_openvino["telemetry"] is False


def test_without_the_extra_float32_is_that_of_onnx_runtime_alone(settings: Settings) -> None:
    if RUNTIMES["openvino"].present():
        return
    assert [found.runtime for found in measured(LITE, settings.but(arithmetic="float32"))] == [DEFAULT]
    assert kind_of(LITE, settings.but(arithmetic="bfloat16")) == ""
