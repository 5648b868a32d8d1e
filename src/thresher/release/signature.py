"""Sign the audit log of a release with an SSH key, by the `ssh-keygen` of OpenSSH: no key passes through thresher."""

import subprocess
from dataclasses import replace

from thresher.errors import BadSetting, Missing
from thresher.release.plan import Chosen

NAMESPACE = "thresher"
LOG, SIGNATURE = "audit-log.jsonl", "audit-log.sig"
SECONDS = 120.0  # an agent may ask its user


def signed(chosen: Chosen, key: str) -> Chosen:
    """The contents of a release with a signature of its audit log by this key, if there are both.

    `key` is the path of a private key, or of the public half of a key in the agent. Raises BadSetting if it does not
    sign, and Missing without OpenSSH.
    """
    log = chosen.evidence.get(LOG)
    if not key or log is None:
        return chosen
    try:
        made = subprocess.run(  # noqa: S603 -- the key is the owner's own setting
            ["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE],  # noqa: S607 -- wherever the owner has it
            input=log,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise Missing("ssh-keygen", "install OpenSSH, or leave signing_key empty") from error
    except subprocess.TimeoutExpired as error:
        raise BadSetting("signing_key: ssh-keygen gave no answer.", where=key, next="ssh-add the key first") from error
    if made.returncode or not made.stdout:
        said = made.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        what = f"signing_key does not sign: {said[-1][:200].rstrip('.')}."
        raise BadSetting(what, where=key, next="ssh-keygen -t ed25519 makes a key")
    return replace(chosen, evidence={**chosen.evidence, SIGNATURE: made.stdout})
