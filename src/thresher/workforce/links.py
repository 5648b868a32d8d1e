"""Signed links and tokens: they say who a request comes from, without accounts, cookies or stored sessions.

A token is `value.signature`, an HMAC-SHA256 (RFC 2104) under a key derived from the workspace's secret for each kind of
token, so that a token of one kind is never valid as another. Signatures are compared in constant time, and a value is
used only after its signature was checked. The values are ids, not secrets: a token authenticates but hides nothing.
"""

import hashlib
import hmac
import secrets

from itsdangerous import Signer

from thresher.errors import Denied, Gone
from thresher.records import Assignment

# what each kind of token opens, in the words of the error that refuses it
KINDS = {
    "worker": "personal link",
    "assignment": "assignment",
    "invite": "invite",
    "picture": "picture",
    "thumbnail": "picture",
    "receipt": "receipt",
    "device": "device",
    "address": "address",
}
LONGEST_TOKEN = 512
DEVICE_BYTES = 16


class Links:
    """Signs and reads the tokens of one workspace; `secret` is `store.secret()`.

    Every method that reads raises Denied for a token that this workspace did not sign for this kind.
    """

    def __init__(self, secret: bytes) -> None:
        self._signers = {
            kind: Signer(secret, salt=f"thresher/{kind}", key_derivation="hmac", digest_method=hashlib.sha256)
            for kind in KINDS
        }

    def sign(self, kind: str, value: str) -> str:
        """A token of this kind for a value, which stays readable in it."""
        return self._signers[kind].sign(value).decode("ascii")

    def read(self, kind: str, token: str) -> str:
        """The value in a token of this kind."""
        value = token.rpartition(".")[0]
        # signed again and compared whole: decoding base64 first would let several last characters pass for one
        if len(token) <= LONGEST_TOKEN and token.isascii() and hmac.compare_digest(self.sign(kind, value), token):
            return value
        raise Denied(
            f"this {KINDS[kind]} is not known here.", next="open the link again as it was given, to its last character"
        )

    def worker(self, worker: str) -> str:
        """The personal token of a worker: their whole account, for the Authorization header."""
        return self.sign("worker", worker)

    def read_worker(self, token: str) -> str:
        """The worker id of a personal token."""
        return self.read("worker", token)

    def assignment(self, assignment: str) -> str:
        """A token that opens only this assignment."""
        return self.sign("assignment", assignment)

    def read_assignment(self, token: str) -> str:
        """The assignment id of an assignment token."""
        return self.read("assignment", token)

    def invite(self, invite: str) -> str:
        """The token of an invite, which makes a personal link for each person who opens it."""
        return self.sign("invite", invite)

    def read_invite(self, token: str) -> str:
        """The invite id of an invite token."""
        return self.read("invite", token)

    def picture(self, assignment: str, position: int) -> str:
        """The key of one position of an assignment.

        It names the position and not the image, so it reveals neither which images are gold nor whether two assignments
        show the same image, and it is valid only as long as the lease.
        """
        return self.sign("picture", f"{assignment}.{position}")

    def read_picture(self, key: str) -> tuple[str, int]:
        """The assignment id and the position of a picture key."""
        assignment, _, position = self.read("picture", key).rpartition(".")
        return assignment, int(position)

    def device(self, mark: str = "") -> tuple[str, str]:
        """The id of the device that keeps this mark, and the mark; a new random one if there is none, or a foreign one.

        A mark says that two people used one browser, and nothing about either: it is random, and no other server's.
        """
        try:
            return self.read("device", mark), mark
        except Denied:
            made = secrets.token_urlsafe(DEVICE_BYTES)
            return made, self.sign("device", made)

    def blinded(self, address: str) -> str:
        """A keyed hash of a network address: equal for equal ones, and no way back without the workspace's secret."""
        return self._signers["address"].get_signature(address).decode("ascii") if address else ""

    def thumbnail(self, row: int, until_ms: int) -> str:
        """The key of an image for the console, valid until a time."""
        return self.sign("thumbnail", f"{row}.{until_ms}")

    def read_thumbnail(self, key: str, now_ms: int) -> int:
        """The row in a thumbnail key. Raises Gone after its time."""
        row, _, until_ms = self.read("thumbnail", key).partition(".")
        if now_ms > int(until_ms):
            raise Gone("this picture's link has run out.", next="reload the page")
        return int(row)

    def receipt(self, assignment: Assignment) -> str:
        """A proof that exactly these answers were sent for this assignment.

        A marketplace hands it back to us: what it reports is believed only if the receipt matches.
        """
        answers = ",".join(f"{given.position}:{given.says.value}" for given in assignment.answers)
        digest = hashlib.sha256(answers.encode("ascii")).hexdigest()
        return self._signers["receipt"].get_signature(f"{assignment.id}.{digest}").decode("ascii")

    def proves(self, receipt: str, assignment: Assignment) -> bool:
        """Whether a receipt belongs to this assignment with these answers."""
        return hmac.compare_digest(receipt.encode("utf-8"), self.receipt(assignment).encode("ascii"))
