"""People who come by a link: no account, no marketplace, no money. An invite mints a personal link for each of them."""

from collections.abc import Mapping

from thresher.errors import Denied
from thresher.records import Assignment
from thresher.workforce.contract import Capabilities, Claim, Done
from thresher.workforce.links import Links


class Local:
    """The workforce of signed links."""

    name = "local"
    capabilities = Capabilities()

    def __init__(self, links: Links) -> None:
        self._links = links

    def entry(self, parameters: Mapping[str, str]) -> Claim:
        """Read a personal token under `t`, or an invite under `invite`. Raises Denied."""
        if "t" in parameters:
            return Claim(worker=self._links.read_worker(parameters["t"]))
        if "invite" in parameters:
            return Claim(invite=self._links.read_invite(parameters["invite"]))
        raise Denied("the address carries no link.", next="open the link as it was given")

    def finish(self, assignment: Assignment) -> Done:
        """The page stays and shows the receipt."""
        return Done(self._links.receipt(assignment))
