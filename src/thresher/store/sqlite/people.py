"""Workers and the invites that mint them."""

from thresher.errors import NotFound
from thresher.records import Invite, Worker
from thresher.store.contract import People
from thresher.store.sqlite.connection import Catalog


class SqlitePeople(People):
    """Workers and the invites that mint them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def invite(self, invite: Invite) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute(
                """INSERT INTO invite (id, category, note, created_ms, revoked_ms) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT DO NOTHING""",
                (invite.id, invite.category, invite.note, invite.created_ms, invite.revoked_ms),
            )

    def invites(self) -> list[Invite]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT id, category, note, created_ms, revoked_ms FROM invite ORDER BY created_ms DESC, id DESC"
            )
            return [Invite(*line) for line in found]

    def get_invite(self, invite: str) -> Invite:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT id, category, note, created_ms, revoked_ms FROM invite WHERE id = ?", (invite,)
            ).fetchone()
        if not found:
            raise NotFound("there is no such invite.", next="ask for another link")
        return Invite(*found)

    def revoke(self, invite: str, at_ms: int) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute("UPDATE invite SET revoked_ms = ? WHERE id = ? AND revoked_ms = 0", (at_ms, invite))

    def add(self, worker: Worker) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute(
                """INSERT INTO worker (id, name, owner, invite, created_ms) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT DO NOTHING""",
                (worker.id, worker.name, worker.owner, worker.invite, worker.created_ms),
            )

    def get(self, worker: str) -> Worker:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT id, name, owner, invite, created_ms FROM worker WHERE id = ?", (worker,)
            ).fetchone()
        if not found:
            raise NotFound("there is no such worker.", next="ask for another link")
        return _worker(*found)

    def all(self) -> list[Worker]:
        with self.catalog.reading() as sql:
            return [
                _worker(*line)
                for line in sql.execute("SELECT id, name, owner, invite, created_ms FROM worker ORDER BY id")
            ]

    def joined(self, invite: str) -> int:
        with self.catalog.reading() as sql:
            return int(sql.execute("SELECT count(*) FROM worker WHERE invite = ?", (invite,)).fetchone()[0])


def _worker(made: str, name: str, owner: int, invite: str, created_ms: int) -> Worker:
    return Worker(made, name, bool(owner), invite, created_ms)
