"""The wire types (API schemas), a file a story. The OpenAPI description and the TypeScript are generated from them."""

from thresher.server.wire.base import Wire
from thresher.server.wire.categories import (
    CategoryWire,
    GateWire,
    GroundsWire,
    NewCategory,
    Reword,
    TargetsWire,
    WordingWire,
)
from thresher.server.wire.invites import InviteWire, NewInvite
from thresher.server.wire.jobs import JobWire
from thresher.server.wire.pictures import Picture, Pictures
from thresher.server.wire.plan import PlanWire, RangeWire
from thresher.server.wire.refusals import Refusals, RefusalWire
from thresher.server.wire.rounds import RoundWire
from thresher.server.wire.server import Health, Problem
from thresher.server.wire.tasks import Known, OwnerLink, TaskWire, Upload, Uploaded
from thresher.server.wire.work import (
    Deal,
    Drafts,
    Entry,
    Example,
    Join,
    Joined,
    Kept,
    Me,
    Offer,
    Past,
    Send,
    Sent,
    Work,
)
from thresher.server.wire.workers import Exclusion, WorkerWire

__all__ = [
    "CategoryWire",
    "Deal",
    "Drafts",
    "Entry",
    "Example",
    "Exclusion",
    "GateWire",
    "GroundsWire",
    "Health",
    "InviteWire",
    "JobWire",
    "Join",
    "Joined",
    "Kept",
    "Known",
    "Me",
    "NewCategory",
    "NewInvite",
    "Offer",
    "OwnerLink",
    "Past",
    "Picture",
    "Pictures",
    "PlanWire",
    "Problem",
    "RangeWire",
    "RefusalWire",
    "Refusals",
    "Reword",
    "RoundWire",
    "Send",
    "Sent",
    "TargetsWire",
    "TaskWire",
    "Upload",
    "Uploaded",
    "Wire",
    "WordingWire",
    "Work",
    "WorkerWire",
]
