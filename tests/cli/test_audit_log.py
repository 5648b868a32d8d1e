"""`thresher audit-log` tells the head of a freeze's log, which proves its release; `run` makes another freeze."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.cli.commands import is_one_clear_line, thresher
from tests.filled import NAME, tiny_backbone
from tests.loop.frozen_pool import answered, frozen, log, to_the_end

from thresher.loop.snapshot import latest
from thresher.store.contract import Store


def key(folder: Path) -> tuple[Path, Path]:
    """A new SSH key, and a file of signers that trusts it."""
    made, signers = folder / "key", folder / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)], check=True)
    signers.write_text(f'owner@example.org namespaces="thresher" {made.with_suffix(".pub").read_text()}')
    return made, signers


def test_the_published_head_and_the_signature_prove_a_release_and_no_other(store: Store, tmp_path: Path) -> None:
    place = Path(store.place)
    frozen(store, "certified")
    published = json.loads(thresher("audit-log", NAME, "--json", at=place).stdout)["head of the freeze"]
    to_the_end(store)
    told = thresher("audit-log", NAME, "--lines", at=place).stdout.splitlines()
    assert published == hashlib.sha256(told[0].encode()).hexdigest()
    made, signers = key(tmp_path)
    out = tmp_path / "out"
    said = thresher("release", NAME, "--to", out, at=place, THRESHER_SIGNING_KEY=str(made))
    assert said.returncode == 0
    head = json.loads(thresher("audit-log", NAME, "--json", at=place).stdout)["head"]
    assert f"Head of the audit log, to be published: {head}" in said.stdout
    for page, directory in ((out / "verify.html", [out]), (out / "images" / "verify.html", [])):
        refused = thresher("verify", *directory, "--page", page)
        assert is_one_clear_line(refused, "--page lies in the release", f"such as --page {tmp_path / 'verify.html'}")
        assert not page.exists()
    assert (out / "audit-log.jsonl").read_text().splitlines() == told
    for given in (("--head", published), ("--head", head), ("--signers", signers)):
        assert thresher("verify", out, *given).returncode == 0
    assert "Signed by owner@example.org" in thresher("verify", out, "--signers", signers).stdout
    assert thresher("verify", out, "--head", "00" * 32).returncode == 1
    _, others = key(make(tmp_path / "other"))
    assert thresher("verify", out, "--signers", others).returncode == 1


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_another_freeze_is_made_only_by_an_owner_who_knows_what_it_costs(store: Store, tmp_path: Path) -> None:
    place = Path(store.place)
    frozen(store, "certified")
    answered(store)
    log(store)
    refused = thresher("run", NAME, "--freeze-anew", at=place)
    assert is_one_clear_line(refused, "0.0075 of delta, where this one has 0.085", "--yes")
    backbone = str(tiny_backbone(tmp_path / "tiny.onnx"))
    command = [sys.executable, "-m", "thresher", "-w", store.place, "run", NAME, "--freeze-anew", "--yes"]
    with subprocess.Popen(command, env={**os.environ, "THRESHER_BACKBONE": backbone}) as running:
        while running.poll() is None and not has_ended(store):
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)  # it would wait for people
    assert has_ended(store)
    assert is_one_clear_line(thresher("run", NAME, "--freeze-anew", at=place), "no freeze of", f"thresher run {NAME}")
    assert is_one_clear_line(thresher("audit-log", NAME, at=place), "no freeze of", f"thresher run {NAME}")


def has_ended(store: Store) -> bool:
    found = latest(store.categories.get(NAME), store=store)
    return found is not None and found.log.ended
