"""A network is added by name: its files are compared with their hashes and tried, and kept whole or not at all."""

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.filled import fill
from tests.learn.graphs import mean_graph
from tests.learn.towers import SIDE, TOKENS, Towers, colour_tokenizer, image_tower, text_tower, two_towers
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site

from thresher.errors import (
    AlreadyThere,
    BadInput,
    Blocked,
    Missing,
    NotFetched,
    NotFound,
    StoreUnavailable,
    ThresherError,
)
from thresher.learn.backbone import kept_in, name_of, open_backbone
from thresher.learn.backbone.adding import Given, Wanted, add, remove
from thresher.learn.backbone.entries import Entry, added, find, folder_of
from thresher.learn.backbone.published import PUBLISHED
from thresher.learn.backbone.session import Preparation
from thresher.learn.backbone.text_tower import open_words
from thresher.learn.embed import column_when_new, embed
from thresher.learn.vectors import embedded
from thresher.pictures import model_pixels
from thresher.settings import Settings
from thresher.store.contract import Store

HALF = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Towers:
    return two_towers(tmp_path_factory.mktemp("towers"))


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.but(cache=str(tmp_path / "cache"), processes=1)


def wanted_of(towers: Towers) -> Wanted:
    image, text, tokenizer = (Given(str(path)) for path in (towers.image, towers.text, towers.tokenizer))
    return Wanted(image, text, tokenizer, mean=HALF, std=HALF, side=SIDE, resize="stretch", tokens=TOKENS)


def add_to(settings: Settings, wanted: Wanted, name: str = "colours") -> Entry:
    return add(name, wanted, cache=kept_in(settings), settings=settings)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def nothing_is_left(settings: Settings) -> bool:
    folder = kept_in(settings) / "added"
    return added(kept_in(settings)) == [] and not (folder.exists() and list(folder.iterdir()))


def test_an_added_network_embeds_under_its_name_and_hash(store: Store, settings: Settings, towers: Towers) -> None:
    entry = add_to(settings, wanted_of(towers))
    settings = settings.but(backbone="colours")
    rows = np.array(fill(store, 5), np.int64)
    assert embed(rows, store=store, settings=settings) == 5
    assert column_when_new(settings) == f"features/{entry.unique}"
    assert entry.unique.startswith("colours-")
    pixels = np.stack([model_pixels(store.images.read(int(row)), side=SIDE, stretch=True) for row in rows])
    found = embedded(settings, rows, store=store).take(np.arange(5))
    assert np.abs(found - (pixels.mean((1, 2)) / 127.5 - 1)).max() < 2e-3


def test_a_network_exported_for_one_picture_at_a_time_is_added_and_embeds(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    graph = mean_graph(tmp_path / "one.onnx", [1, 3, 32, 32])
    entry = add_to(settings, Wanted(image=Given(str(graph))), "one")
    settings = settings.but(backbone="one")
    rows = np.array(fill(store, 5), np.int64)
    assert embed(rows, store=store, settings=settings) == 5
    assert embedded(settings, rows, store=store).width == entry.width == 3


def test_vectors_of_two_graphs_or_two_preparations_never_mix(
    settings: Settings, towers: Towers, tmp_path: Path
) -> None:
    wanted = wanted_of(towers)
    first = add_to(settings, wanted)
    remove("colours", cache=kept_in(settings))
    other = image_tower(tmp_path / "other.onnx", output="image_embeds")
    names = {first.unique, add_to(settings, replace(wanted, image=Given(str(other)))).unique}
    for changed in (replace(wanted, side=32), replace(wanted, resize="crop"), replace(wanted, mean=(0.5, 0.5, 0.4))):
        remove("colours", cache=kept_in(settings))
        names.add(add_to(settings, changed).unique)
    assert len(names) == 5


def test_texts_are_vectors_of_the_pictures_that_they_name(settings: Settings, towers: Towers) -> None:
    entry = add_to(settings, replace(wanted_of(towers), lowercase=True))
    assert entry.text is not None
    tower = open_words(entry.text, folder_of(entry.name, kept_in(settings)))
    backbone = open_backbone("colours", cache=kept_in(settings))
    squares = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    for place in range(3):
        squares[place, :, :, place] = 255
    fits = tower.embed(["a red car at night", "A GREEN field", "blue"]) @ backbone.embed(squares).T
    assert fits.argmax(axis=1).tolist() == [0, 1, 2]
    assert np.allclose(np.linalg.norm(tower.embed(["a red car", "x" * 500]), axis=1), 1)


def test_adding_the_same_again_changes_nothing_and_another_under_the_name_is_refused(
    settings: Settings, towers: Towers
) -> None:
    entry = add_to(settings, wanted_of(towers))
    assert add_to(settings, wanted_of(towers)) == entry
    with pytest.raises(AlreadyThere, match="backbone remove colours"):
        add_to(settings, replace(wanted_of(towers), side=32))
    assert added(kept_in(settings)) == [entry]
    remove("colours", cache=kept_in(settings))
    assert nothing_is_left(settings)
    with pytest.raises(NotFound, match="backbone list"):
        remove("colours", cache=kept_in(settings))


def test_a_file_that_changed_after_it_was_added_is_not_used(settings: Settings, towers: Towers, tmp_path: Path) -> None:
    entry = add_to(settings, wanted_of(towers))
    kept = folder_of("colours", kept_in(settings)) / "image.onnx"
    kept.write_bytes(image_tower(tmp_path / "other.onnx", output="image_embeds").read_bytes())
    with pytest.raises(BadInput, match="not the one that was added"):
        open_backbone("colours", cache=kept_in(settings))
    assert name_of("colours", cache=kept_in(settings)) == entry.unique
    (kept.parent / "entry.json").write_text("{}")
    with pytest.raises(BadInput, match="backbone remove colours"):
        name_of("colours", cache=kept_in(settings))


def test_what_a_killed_command_left_behind_is_no_backbone_and_is_removed_after_a_day(
    settings: Settings, towers: Towers
) -> None:
    folder = kept_in(settings) / "added"
    old, young = folder / ".adding-old", folder / ".adding-young"
    for left in (old, young):
        left.mkdir(parents=True)
        (left / "image.onnx").write_bytes(b"half")
    os.utime(old, (1, 1))
    entry = add_to(settings, wanted_of(towers))
    assert added(kept_in(settings)) == [entry]
    assert not old.exists()
    assert young.exists()


def test_what_another_command_removes_meanwhile_is_no_full_disk(settings: Settings, towers: Towers) -> None:
    gone = kept_in(settings) / "added" / ".adding-gone"  # a link to nothing: found by its name, and then not there
    gone.parent.mkdir(parents=True)
    gone.symlink_to(gone.parent / "nothing")
    entry = add_to(settings, wanted_of(towers))
    assert added(kept_in(settings)) == [entry]


def test_a_full_disk_is_told_and_nothing_is_left(
    settings: Settings, towers: Towers, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(written: object, piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("thresher.learn.backbone.adding._Written.take", full)
    for wanted in (wanted_of(towers), by_address(towers, site)):
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            add_to(settings.but(fetch_private=True), wanted)
    assert nothing_is_left(settings)


# --- by address -------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(towers: Towers) -> Iterator[Site]:
    with RunningSite() as running:
        for path in (towers.image, towers.text, towers.tokenizer):
            running.files[path.name] = path.read_bytes()
        yield running


def by_address(towers: Towers, site: Site) -> Wanted:
    image, text, tokenizer = (
        Given(site.url(f"/file/{path.name}"), hash_of(path)) for path in (towers.image, towers.text, towers.tokenizer)
    )
    return replace(wanted_of(towers), image=image, text=text, tokenizer=tokenizer)


def test_files_at_an_address_are_fetched_and_compared(settings: Settings, towers: Towers, site: Site) -> None:
    entry = add_to(settings.but(fetch_private=True), by_address(towers, site))
    assert entry.unique == add_to(settings, wanted_of(towers), "other").unique.replace("other", "colours")
    assert entry.image.source == site.url("/file/vision_model.onnx")


def test_an_address_is_reached_only_through_the_guard(settings: Settings, towers: Towers, site: Site) -> None:
    with pytest.raises(Blocked, match=r"port [0-9]+ is not allowed"):
        add_to(settings, by_address(towers, site))
    assert not site.lines
    assert nothing_is_left(settings)


def test_an_address_without_a_hash_or_with_another_file_behind_it_adds_nothing(
    settings: Settings, towers: Towers, site: Site
) -> None:
    settings, wanted = settings.but(fetch_private=True), by_address(towers, site)
    with pytest.raises(BadInput, match="needs its SHA-256"):
        add_to(settings, replace(wanted, image=replace(wanted.image, sha256="")))
    assert not site.lines
    with pytest.raises(BadInput, match=r"its SHA-256 is [0-9a-f]{64}, not 0{64}"):
        add_to(settings, replace(wanted, image=replace(wanted.image, sha256="0" * 64)))
    with pytest.raises(NotFetched, match="404"):
        add_to(settings, replace(wanted, image=replace(wanted.image, place=site.url("/file/none.onnx"))))
    assert nothing_is_left(settings)


def test_a_file_larger_than_allowed_is_not_taken(
    settings: Settings, towers: Towers, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thresher.learn.backbone.adding.MOST_TOKENIZER_BYTES", 1000)
    for wanted in (wanted_of(towers), by_address(towers, site)):
        with pytest.raises((BadInput, NotFetched), match=r"tokenizer\.json: more than 1,000 bytes"):
            add_to(settings.but(fetch_private=True), wanted)
    assert nothing_is_left(settings)


# --- files that do not fit --------------------------------------------------------------------------------------------


def refused(settings: Settings, wanted: Wanted, match: str, kind: type[ThresherError] = BadInput) -> None:
    with pytest.raises(kind, match=match) as caught:
        add_to(settings, wanted)
    assert "\n" not in str(caught.value)
    assert str(kept_in(settings)) not in str(caught.value)  # the file that the user gave is named, not its copy
    assert nothing_is_left(settings)


def test_a_graph_that_does_not_fit_adds_nothing_and_says_why(settings: Settings, tmp_path: Path) -> None:
    def image(path: Path, **more: object) -> Wanted:
        return replace(Wanted(Given(str(path))), **more)  # type: ignore[arg-type]  # named by the test

    like = {"like": "siglip2-base-patch16-224"}
    refused(settings, image(tmp_path / "none.onnx"), r"none\.onnx: cannot be read")
    (tmp_path / "text.onnx").write_text("no graph")
    refused(settings, image(tmp_path / "text.onnx"), r"text\.onnx: ONNX Runtime cannot run it")
    named = image_tower(tmp_path / "named.onnx", given="x")
    refused(settings, image(named, **like), "its input is x, not pixel_values")
    other = image_tower(tmp_path / "other.onnx", output="image_embeds")
    refused(
        settings, image(other, **like), "its outputs are last_hidden_state, image_embeds; pooler_output is not among"
    )
    refused(settings, image(image_tower(tmp_path / "small.onnx"), **like), "3 numbers, not 768")
    fixed = mean_graph(tmp_path / "fixed.onnx", ["n", 3, 32, 32])
    refused(settings, image(fixed, side=64), "takes pictures of 32 pixels, not 64")
    refused(settings, image(fixed, std=(0.0, 1.0, 1.0)), "no number of --std may be 0")
    refused(settings, image(fixed, mean=(0.0, 1.0)), "three numbers")
    refused(settings, image(fixed, like="clip"), "siglip2-base-patch16-224")
    with np.errstate(all="ignore"):
        nan = mean_graph(tmp_path / "nan.onnx", ["n", 3, 32, 32], mean="0,0,0", std="0,1,1")
        refused(settings, image(nan), r"nan\.onnx: its vectors are not numbers")


def test_a_graph_whose_weights_are_in_other_files_is_refused_with_what_joins_them(
    settings: Settings, towers: Towers, tmp_path: Path
) -> None:
    model = onnx.load(str(towers.text))
    path = tmp_path / "text.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="text.onnx_data", size_threshold=0)
    refused(settings, replace(wanted_of(towers), text=Given(str(path))), r"text\.onnx: its weights are in other files")


def test_a_text_tower_that_does_not_fit_adds_nothing_and_says_why(
    settings: Settings, towers: Towers, tmp_path: Path
) -> None:
    wanted, tokenizer = wanted_of(towers), colour_tokenizer(tmp_path / "tokenizer.json")

    def text(path: Path) -> Wanted:
        return replace(wanted, text=Given(str(path)))

    refused(settings, replace(wanted, tokenizer=None), "--text needs --tokenizer")
    refused(settings, replace(wanted, text=None), "--tokenizer needs --text")
    wide = text_tower(tmp_path / "wide.onnx", tokenizer, width=5)
    refused(settings, text(wide), r"wide\.onnx: its vectors have 5 numbers, and those of the pictures 3")
    named = text_tower(tmp_path / "named.onnx", tokenizer, given="tokens")
    refused(settings, text(named), r"its inputs are tokens .*; it must have input_ids")
    refused(settings, text(towers.image), "its inputs are pixel_values")
    nan = text_tower(tmp_path / "nan.onnx", tokenizer, not_numbers=True)
    refused(settings, text(nan), r"nan\.onnx: its output for a text \(pooler_output\) is not one vector of numbers")
    (tmp_path / "no.json").write_text("{}")
    refused(settings, replace(wanted, tokenizer=Given(str(tmp_path / "no.json"))), r"no\.json: not a tokenizer\.json")


def test_a_name_that_cannot_be_a_column_or_is_built_in_is_refused(settings: Settings, towers: Towers) -> None:
    for name in ("efficientnet-lite0", "a+b", "../up", "Big", "x.onnx", "", "a" * 61):
        with pytest.raises(BadInput, match="cannot name a backbone"):
            add_to(settings, wanted_of(towers), name)
    assert find("../up", kept_in(settings)) is None
    assert nothing_is_left(settings)


def test_without_the_tokenizer_library_the_extra_is_named(
    settings: Settings, towers: Towers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    refused(settings, wanted_of(towers), r"thresher\[text\]", Missing)
    assert add_to(settings, replace(wanted_of(towers), text=None, tokenizer=None)).text is None


# --- networks known by name -------------------------------------------------------------------------------------------


def test_published_networks_are_prepared_as_their_publishers_document() -> None:
    """`preprocessor_config.json` of each model: stretched to a square, bilinear; SigLIP 2's texts are 64 tokens."""
    siglip = PUBLISHED["siglip2-base-patch16-224"]
    assert siglip.preparation == Preparation(224, HALF, HALF, "stretch", "bilinear")
    assert (siglip.width, siglip.tokens, siglip.lowercase) == (768, 64, True)
    dino = PUBLISHED["dinov3-vits16"]
    assert dino.preparation == Preparation(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "stretch", "bilinear")
    assert (dino.width, dino.tokens) == (384, 0)


def test_a_picture_is_stretched_or_cropped_as_asked(settings: Settings, towers: Towers) -> None:
    add_to(settings, wanted_of(towers))
    data = picture(3, (96, 32))
    backbone = open_backbone("colours", cache=kept_in(settings))
    whole = model_pixels(data, side=SIDE, stretch=True)
    assert (backbone.pixels(data) == whole).all()
    assert not (whole == model_pixels(data, side=SIDE)).all()
    assert not (whole == model_pixels(data, side=SIDE, stretch=True, bilinear=True)).all()
