"""The signature of the audit log, which says who published its head: made and checked by the `ssh-keygen` of OpenSSH.

    ssh-keygen -Y verify -f SIGNERS -I WHO -n thresher -s audit-log.sig < audit-log.jsonl

is the same check by hand. SIGNERS has a line "WHO namespaces="thresher" ssh-ed25519 AAAA..." for each trusted key.
"""

import subprocess
from pathlib import Path

from thresher.errors import BadInput, Missing

NAMESPACE = "thresher"
LOG, SIGNATURE = "audit-log.jsonl", "audit-log.sig"
SECONDS = 60.0


def signer_of(directory: Path, signers: Path) -> str:
    """Who of `signers` has signed the audit log of a release; empty if nobody has. Raises BadInput without the file."""
    if not signers.is_file():
        raise BadInput("is no file of signers.", where=str(signers), next="man ssh-keygen, ALLOWED SIGNERS")
    signature, log = directory / SIGNATURE, directory / LOG
    if not signature.is_file() or not log.is_file():
        return ""
    data = log.read_bytes()
    found = _keygen("find-principals", "-f", str(signers), "-s", str(signature), data=data)
    for who in found.stdout.decode("utf-8", "replace").splitlines():
        given = ("-f", str(signers), "-I", who, "-n", NAMESPACE, "-s", str(signature))
        if _keygen("verify", *given, data=data).returncode == 0:
            return who
    return ""


def _keygen(what: str, *given: str, data: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(  # noqa: S603 -- paths and names, after options that take them
            ["ssh-keygen", "-Y", what, *given],  # noqa: S607 -- wherever the user has it
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise Missing("ssh-keygen", "install OpenSSH, or leave --signers out") from error
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"ssh-keygen gave no answer in {SECONDS:.0f} seconds.", next="the same again") from error
