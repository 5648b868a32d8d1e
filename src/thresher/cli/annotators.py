"""`thresher people`: who has joined, who waits for the owner, who is excluded; exclude somebody, let somebody go on."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import opened
from thresher.cli.options import JSON
from thresher.cli.show import as_json, say, table

if TYPE_CHECKING:  # the records take a while to make, and `--help` needs none
    from thresher.records import Worker
    from thresher.store.contract import Store

people = typer.Typer(
    name="people", help="List the annotators, exclude one, let one go on.", invoke_without_command=True
)
Person = Annotated[str, typer.Argument(help="The person's id, or its last characters.")]
SHOWN = 8  # characters of an id that tell people apart


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(people)


@people.callback()
def listed(context: typer.Context, json: JSON = False) -> None:
    """List the annotators: whether they get work, what they sent, and how many share a device or address with them."""
    if context.invoked_subcommand:
        return
    from thresher.label.gold import gates_say

    with opened(context) as (store, settings):
        rows = [_row(worker, facts) for worker, facts in _records(store).items()]
        provisional = gates_say(store=store, settings=settings)
    if json:
        as_json(rows)
    elif not rows:
        say("Nobody has joined yet. Next: thresher invite")
    else:
        counts = ("sent", "rejected", "provisional")
        table("People", ("person", "name", "work", *counts, "others"), [_shown(row) for row in rows], right=counts)
        for name, says in provisional.items():
            say(f"{name}: {says}")
        if waiting := sum(row["work"] == "waiting" for row in rows):
            ways = "thresher people admit ID, or thresher people exclude ID --reason WHY"
            say(f"{'1 person waits' if waiting == 1 else f'{waiting} people wait'} for you. Next: {ways}")


@people.command("exclude")
def excluded(
    context: typer.Context,
    person: Person,
    reason: Annotated[str, typer.Option(help="Why. The person reads it on their page.")],
) -> None:
    """Exclude a person: they get no more tasks, what they have begun ends, what they have sent stays and is paid."""
    from thresher.errors import BadInput
    from thresher.label.standing import exclude
    from thresher.records import now_ms

    if not reason.strip():
        raise BadInput("--reason is empty.", next="say why; the person reads it")
    with opened(context) as (store, _settings):
        worker = _find(person, store)
        ended = exclude(worker.id, reason.strip(), store=store, now_ms=now_ms())
    tasks = f" {ended} unfinished assignment{'' if ended == 1 else 's'} ended." if ended else ""
    say(f"Excluded {_called(worker)}.{tasks} Undo: thresher people admit {worker.id[-SHOWN:]}")


@people.command("admit")
def admitted(context: typer.Context, person: Person) -> None:
    """Let a person go on who waits for you, was excluded, or came by an invite that was revoked."""
    from thresher.label.standing import admit
    from thresher.records import now_ms

    with opened(context) as (store, _settings):
        worker = _find(person, store)
        admit(worker.id, store=store, now_ms=now_ms())
    say(f"{_called(worker)} gets tasks again.")


def _find(person: str, store: "Store") -> "Worker":
    """The one person whose id ends so. Raises NotFound, BadInput."""
    from thresher.errors import BadInput, NotFound

    found = [worker for worker in store.people.all() if not worker.owner and worker.id.endswith(person)]
    if len(found) > 1:
        raise BadInput(f"{len(found)} people have an id that ends in {person!r}.", next="give more of its characters")
    if not found or not person:
        raise NotFound(f"nobody has an id that ends in {person!r}.", next="thresher people")
    return found[0]


def _records(store: "Store") -> "dict[Worker, dict[str, object]]":
    """Everybody but the owner, with the facts about them."""
    from thresher.label.independent import shared_devices
    from thresher.label.standing import standings
    from thresher.records import Stage
    from thresher.store.contract import every_assignment

    everybody = store.people.all()
    done: dict[str, Counter[Stage]] = {worker.id: Counter() for worker in everybody}
    provisional: Counter[str] = Counter()
    for category in store.categories.all():
        for one in every_assignment(category.name, store=store):
            done[one.worker][one.stage] += 1
            provisional[one.worker] += bool(one.review and one.review.provisional)
    stands, shared = standings(store=store), shared_devices(store=store)
    users = Counter(device for own in shared.values() for device in own)
    joined = Counter(worker.address for worker in everybody if worker.address)
    sent = (Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED)
    return {
        worker: {
            "work": stands[worker.id].value,
            "sent": sum(done[worker.id][stage] for stage in sent),
            "accepted": done[worker.id][Stage.ACCEPTED] + done[worker.id][Stage.WEIGHTED],
            "rejected": done[worker.id][Stage.REJECTED],
            "provisional": provisional[worker.id],
            "same device": sum(users[device] - 1 for device in shared.get(worker.id, ())),
            "same address": max(0, joined[worker.address] - 1),
        }
        for worker in everybody
        if not worker.owner
    }


def _row(worker: "Worker", facts: dict[str, object]) -> dict[str, object]:
    about = {"person": worker.id, "name": worker.name, "invite": worker.invite}
    return {**about, **facts, "reason": worker.excluded_why}


def _shown(row: dict[str, object]) -> list[object]:
    shared = (f"{row[what]} on one {what[5:]}" for what in ("same device", "same address") if row[what])
    work = f"{row['work']}: {row['reason']}" if row["reason"] else row["work"]
    return [
        str(row["person"])[-SHOWN:],
        row["name"],
        work,
        row["sent"],
        row["rejected"],
        row["provisional"],
        ", ".join(shared),
    ]


def _called(worker: "Worker") -> str:
    return worker.name or worker.id[-SHOWN:]
