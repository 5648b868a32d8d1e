"""The table of kinds: every kind of line in a workspace, with its fields, its keys, and how it is stored.

A line is one record in a store: a label, a worker, a round. Its fields are the same in every store, so two stores are
equal when their lines are equal. The table drives SQLite's tables and MongoDB's collections, their migrations,
`thresher store copy`, and the part of both stores that keeps generic kinds (contract/lines.py). What a store derives
from lines (indexes, counters, who may be asked what) it computes itself.

A further generic kind is one row of KINDS, with the next number as `since`; docs/decisions/0010-one-table-of-kinds.md
says what else it takes. The row of a released kind is never edited, except to add fields and indexes with a later
`since`.
"""

from typing import Final

from thresher.store.shapes import Field, Index, Kind, Kinds, Type, fields_of

# a checksum of what never changes of a line (seals.py)
SEAL: Final = Field("seal", since=3, default="")
# "bare" is "reference" or "lost" for an image without bytes; "aliases" are sorted pairs of kind and value
CATEGORY: Final = Kind(
    "category",
    "questions with their versions and targets",
    fields_of("name, targets json, exclusive, created_ms int, questions json"),
    of_category=False,
    plural="categories",
)
IMAGE: Final = Kind(
    "image",
    "the catalog of pictures, by row",
    fields_of(
        "row int, sha256, width int, height int, format, orientation int, bytes int, similar int, fingerprint, bare,"
        " aliases json"
    ),
    of_category=False,
    at_once=250,
)
# "mark" is a hash of the source, the name and what changes with a file (harvest/known.py)
SEEN_FILE: Final = Kind(
    "seen_file",
    "files that harvests have read, and the image that each was",
    fields_of("mark, sha256"),
    of_category=False,
    generic=True,
    since=3,
    durable=False,
)
# of an image that one address alone gave there is no line
SAME_ANSWER: Final = Kind(
    "same_answer",
    "images that several addresses answered with",
    fields_of("row int, addresses int, address"),
    of_category=False,
    generic=True,
    since=3,
    durable=False,
)
WORKER: Final = Kind(
    "worker",
    "people",
    (
        *fields_of("id, name, owner bool, invite, created_ms int"),
        Field("address", since=3, default=""),
        *(Field(name, Type.INT, since=3, default=0) for name in ("waits_ms", "cleared_ms", "excluded_ms")),
        Field("excluded_why", since=3, default=""),
    ),
    of_category=False,
    generic=True,
    mark="people",
    indexes=(
        Index("of_invite", ("invite", "created_ms"), since=3),
        Index("of_address", ("address", "created_ms"), since=3),
    ),
)
DEVICE: Final = Kind(
    "device",
    "which people were seen at which device",
    fields_of("device, worker, at_ms int"),
    keys=2,
    of_category=False,
    generic=True,
    mark="people",
    indexes=(Index("of_worker", ("worker",), since=3),),
    since=3,
)
INVITE: Final = Kind(
    "invite",
    "links that mint people",
    fields_of("id, category, note, created_ms int, revoked_ms int"),
    of_category=False,
    generic=True,
    mark="people",
)
JOB: Final = Kind(
    "job",
    "records of separate processes",
    (
        *fields_of(
            "id, kind, category, arguments json, state, host, pid int, created_ms int, heartbeat_ms int, done int,"
            " total int, cancel bool, message"
        ),
        Field("process", since=3, default=""),
    ),
    of_category=False,
    generic=True,
    durable=False,
)
# a copy is made while nobody works: whoever holds a lease holds it in the source
LEASE: Final = Kind(
    "lease",
    "who may run what there is one of",
    fields_of("name, owner, until_ms int"),
    of_category=False,
    generic=True,
    durable=False,
    travels=False,
)
SERVER: Final = Kind(
    "server",
    "running servers, and where people reach them",
    fields_of("id, url, host, pid int, started_ms int, heartbeat_ms int"),
    of_category=False,
    generic=True,
    since=3,
    durable=False,
    travels=False,
)
POOL: Final = Kind(
    "pool",
    "which rows a category has, and where they came from",
    fields_of("row int, source, query, licence, at_ms int"),
    plural="pool",
)
REFUSAL: Final = Kind(
    "refusal", "candidates that were not admitted", fields_of("key int, name, reason, detail, at_ms int")
)
# "trust" is the place of a label's source in records.Source
LABEL: Final = Kind(
    "label",
    "what is held true, by row and source",
    (
        *fields_of(
            "version int, row int, trust int, says, purpose, at_ms int, posterior real, votes int, epoch int, draw int"
        ),
        SEAL,
    ),
    keys=3,
)
GOLD: Final = Kind(
    "gold",
    "labels that workers are checked by",
    (*fields_of("version int, row int, says, source, shown int, missed int, retired"), SEAL),
    keys=2,
    plural="gold",
)
# an "ask" waits for a task; a task has whole asks of its own, as lists of ASK_FIELDS
ASK_FIELDS: Final = ("id", "row", "purpose", "votes_wanted", "priority", "epoch", "draw", "part")
ASK: Final = Kind(
    "ask",
    "wishes whose answers are not all in",
    (
        *fields_of(
            "id int, version int, row int, purpose, owner_only bool, votes_wanted int, priority real, epoch int,"
            " draw int"
        ),
        Field("part", Type.INT, since=3, default=0),
    ),
)
TASK: Final = Kind(
    "task",
    "published lists of asked images",
    (
        *fields_of(
            "number int, version int, name, places int, taken int, done int, owner_only bool, published_ms int,"
            " asks json"
        ),
        Field("kind", since=2, default="single"),
        # a list as text, which stores keep as it is
        Field("gold", since=3, default="[]"),
    ),
    at_once=100,
)
# "dealt", "answers" and "drafts" are lists in the order of their records' fields; "reserved" is how many answers it may
# still bring
ASSIGNMENT: Final = Kind(
    "assignment",
    "leases, drafts and answers",
    (
        *fields_of(
            "id, task int, version int, worker, owner bool, stage, dealt json, dealt_ms int, lease_until_ms int,"
            " sent_ms int, answers json, sequence int, drafts_erased int, drafts json"
        ),
        Field("reserved", Type.INT, since=3, default=0),
        SEAL,
    ),
    at_once=100,
)
# nothing is ever taken back: of the reviews of an assignment the one with the highest number is in force
REVIEW: Final = Kind(
    "review",
    "decisions about assignments",
    (
        Field("assignment"),
        Field("number", Type.INT, default=1),
        *fields_of(
            "version int, worker, verdict, why, at_ms int, yes_right int, yes_shown int, no_right int, no_shown int,"
            " weight real, provisional bool"
        ),
        SEAL,
    ),
    keys=2,
    generic=True,
    mark="votes",
    indexes=(Index("of_worker", ("version", "worker")), Index("of_time", ("at_ms",), since=5)),
    since=2,
)
# what the gate looks at again, and "mark", what was known when it last did
RECHECK: Final = Kind(
    "recheck", "assignments that are judged again when more is known", fields_of("assignment, mark"), generic=True,
    mark="asks",  # not votes: these move with the lines of reviews, and otherwise only with a repair
    since=3, durable=False,
)  # fmt: skip
VOTE: Final = Kind(
    "vote",
    "valid answers on asked images, by row and time",
    fields_of("version int, row int, at_ms int, assignment, worker, says, purpose, weight real, epoch int, draw int"),
    keys=4,
)
GOLD_ANSWER: Final = Kind(
    "gold_answer", "reviewed answers on gold", fields_of("version int, row int, worker, assignment, says"), keys=4
)
ROUND: Final = Kind(
    "round",
    "trainings",
    (*fields_of("number int, version int, record json, head blob"), SEAL),
    generic=True,
    mark="rounds",
    indexes=(Index("of_version", ("version",)),),
    at_once=10,
)
EVIDENCE: Final = Kind(
    "evidence",
    "the frozen state of certificates",
    (*fields_of("epoch int, name, data blob"), SEAL),
    keys=2,
    generic=True,
    mark="rounds",
    at_once=1,
    plural="evidence",
)
RELEASE: Final = Kind(
    "release",
    "exported versions",
    (*fields_of("id, record json"), Field("fingerprint", since=3, default=""), SEAL),
    generic=True,
    mark="rounds",
    since=2,
)
# labels that somebody else made (claims.py): the one of a name with the highest number is in force
CLAIM: Final = Kind(
    "claim",
    "labels made elsewhere, a line a source",
    (*fields_of("name, number int, kind, source, rows int, yes int, scored bool, at_ms int, data blob"), SEAL),
    keys=2,
    generic=True,
    mark="question",
    since=4,
    at_once=1,
)
# words that rank a pool (claims.py): the line with the highest number is in force, and no words there are none
WORDS: Final = Kind(
    "words",
    "texts that a pool is ranked by",
    fields_of("number int, text, at_ms int"),
    generic=True,
    mark="question",
    since=4,
    plural="words",
)

# in the order they are copied: each needs only what comes before it
KINDS: Final[Kinds] = (
    CATEGORY, IMAGE, SEEN_FILE, SAME_ANSWER, WORKER, INVITE, DEVICE, JOB, LEASE, POOL, REFUSAL, LABEL, GOLD, ASK, TASK,
    ASSIGNMENT, REVIEW, RECHECK, VOTE, GOLD_ANSWER, ROUND, EVIDENCE, RELEASE, CLAIM,
    WORDS, SERVER,
)  # fmt: skip
