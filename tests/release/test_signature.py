"""The audit log of a release is signed by an SSH key, and whoever has its public half can check who signed it."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thresher.errors import BadInput, BadSetting
from thresher.records import Grounds
from thresher.release.plan import Chosen
from thresher.release.signature import LOG, SIGNATURE, signed
from thresher.verify.signature import signer_of

NOTHING = np.zeros(0, np.int64)
CHOSEN = Chosen(
    category="cars",
    version=1,
    question="?",
    round=1,
    rows=NOTHING,
    codes=NOTHING.astype(np.int8),
    scores=NOTHING.astype(np.float32),
    similar=NOTHING,
    inherited=NOTHING.astype(bool),
    yes_by=Grounds(),
    certificate={},
    evidence={LOG: b'{"kind":"freeze"}\n'},
)


def key(folder: Path, name: str) -> tuple[str, str]:
    """A new key without a passphrase: its path, and its line in a file of signers."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    kind, public, *_ = path.with_suffix(".pub").read_text().split()
    return str(path), f'{name} namespaces="thresher" {kind} {public}\n'


def test_a_signed_log_names_its_signer_and_a_changed_one_nobody(tmp_path: Path) -> None:
    ours, line = key(tmp_path, "owner")
    _, stranger = key(tmp_path, "stranger")
    made = signed(CHOSEN, ours)
    for name, data in made.evidence.items():
        (tmp_path / name).write_bytes(data)
    signers = tmp_path / "signers"
    signers.write_text(stranger + line)
    assert signer_of(tmp_path, signers) == "owner"
    signers.write_text(stranger)
    assert signer_of(tmp_path, signers) == ""
    signers.write_text(line.replace('namespaces="thresher"', 'namespaces="git"'))
    assert signer_of(tmp_path, signers) == ""
    signers.write_text(line)
    (tmp_path / LOG).write_bytes(b'{"kind":"freezes"}\n')
    assert signer_of(tmp_path, signers) == ""
    (tmp_path / SIGNATURE).unlink()
    assert signer_of(tmp_path, signers) == ""
    with pytest.raises(BadInput, match="no file of signers"):
        signer_of(tmp_path, tmp_path / "none")


def test_without_a_key_or_a_certificate_nothing_is_signed_and_a_wrong_key_is_told(tmp_path: Path) -> None:
    ours, _ = key(tmp_path, "owner")
    assert signed(CHOSEN, "") is CHOSEN
    plain = replace(CHOSEN, evidence={})
    assert signed(plain, ours) is plain
    with pytest.raises(BadSetting, match="signing_key does not sign"):
        signed(CHOSEN, str(tmp_path / "none"))
