"""The data types: frozen, typed, with units in the field names. DESIGN.md section 2 defines each word."""

from thresher.records.asking import (
    OWNER,
    Ask,
    Assignment,
    Dealt,
    Given,
    Invite,
    NewAsk,
    Review,
    Stage,
    Task,
    Vote,
    Worker,
)
from thresher.records.images import Alias, Image, NewImage, Origin, Refusal, Rendering
from thresher.records.learning import Counts, Release, Round, Thresholds
from thresher.records.questions import TRUSTED, Category, Gold, Label, Question, Targets
from thresher.records.running import Job, Progress
from thresher.records.words import OWNER_ONLY, Decision, Purpose, Says, Source, category_name, new_id, now_ms

__all__ = [
    "OWNER",
    "OWNER_ONLY",
    "TRUSTED",
    "Alias",
    "Ask",
    "Assignment",
    "Category",
    "Counts",
    "Dealt",
    "Decision",
    "Given",
    "Gold",
    "Image",
    "Invite",
    "Job",
    "Label",
    "NewAsk",
    "NewImage",
    "Origin",
    "Progress",
    "Purpose",
    "Question",
    "Refusal",
    "Release",
    "Rendering",
    "Review",
    "Round",
    "Says",
    "Source",
    "Stage",
    "Targets",
    "Task",
    "Thresholds",
    "Vote",
    "Worker",
    "category_name",
    "new_id",
    "now_ms",
]
