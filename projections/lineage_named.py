"""What a subject, a probe or a user has to do with the records, as a graph (``projections.graph``). Appends nothing.

The newest records are shown, as many as ``limit`` says, and the rest is counted.
"""

from collections.abc import Sequence

from ledger.database import Transaction
from ledger.envelope import StoredEvent
from ledger.log import Head
from projections.graph import Lineage
from projections.lineage import ALL, Walk
from projections.lineage_nodes import Say
from projections.lines import subject_name


def named_lineage(
    transaction: Transaction, head: Head, ref: str, events: Sequence[StoredEvent], *, limit: int, say: Say
) -> Lineage:
    """``ref`` is ``subject:12345``, ``probe:NAME`` or ``user:NAME``, and ``events`` are those of it."""
    walk = _NamedWalk(transaction, head, ref, limit or ALL, say)
    kind, _, name = ref.partition(":")
    {"subject": walk.of_subject, "probe": walk.of_probe, "user": walk.of_user}[kind](name)
    walk.told(ref, events)
    return walk.finish()


class _NamedWalk(Walk):
    def of_subject(self, name: str) -> None:
        key = f"0/{name}"
        ref = self._subject_node(key)
        for insertion in self.state.insertions.where("subject = ?", [key]):
            probe = self.graph.node(f"probe:{insertion.probe}", "probe", insertion.probe)
            self.graph.edge(
                probe, ref, "inserted", inserted=insertion.insertion_time, removed=insertion.removal_time
            )
        table = self.state.sessions.table
        found = self.first_of(f"SELECT id FROM {table} WHERE subject = ? ORDER BY id DESC", key)
        numbers = [row[0] for row in reversed(found)]
        for row in self.there(self.state.sessions, numbers):
            self.graph.edge(ref, self.session_node(row), "of")
        self._standing_on(numbers, others=False)
        count = self.count(f"SELECT count(*) FROM {table} WHERE subject = ?", key)
        self.graph.left_out(ref, "sessions", count - len(numbers))

    def of_probe(self, name: str) -> None:
        ref = self.graph.node(f"probe:{name}", "probe", name)
        for insertion in self.state.insertions.where("probe = ?", [name]):
            subject = self._subject_node(insertion.subject)
            self.graph.edge(
                ref, subject, "inserted", inserted=insertion.insertion_time, removed=insertion.removal_time
            )
        table = self.state.probes.table
        found = self.first_of(
            f"SELECT session, name, serial, matched_by FROM {table} WHERE probe = ? ORDER BY session DESC, name",
            name,
        )
        on_disk = {number: told for number, *told in reversed(found)}
        for row in self.there(self.state.sessions, on_disk):
            called, serial, how = on_disk[row.id]
            self.graph.edge(
                ref, self.session_node(row), "recorded", name=called, serial=serial, matched_by=how
            )
        count = self.count(f"SELECT count(*) FROM {table} WHERE probe = ?", name)
        self.graph.left_out(ref, "sessions", count - len(found))

    def of_user(self, name: str) -> None:
        ref = self.graph.node(f"user:{name}", "user", name)
        uploads, requests = self.state.uploads.table, self.state.deletions.table
        for table, column, what in ((uploads, "username", "uploads"), (requests, "requested_by", "requests")):
            found = self.first_of(f"SELECT id FROM {table} WHERE {column} = ? ORDER BY id DESC", name)
            numbers = [row[0] for row in reversed(found)]
            if what == "uploads":
                nodes = [self.upload_node(row) for row in self.there(self.state.uploads, numbers)]
            else:
                nodes = [self.request_node(number) for number in numbers]
            for node in nodes:
                self.graph.edge(ref, node, "owns")
            count = self.count(f"SELECT count(*) FROM {table} WHERE {column} = ?", name)
            self.graph.left_out(ref, what, count - len(numbers))

    def _subject_node(self, key: str) -> str:
        row = self.state.subjects.get(key)
        name = subject_name(key)
        return self.graph.node(
            f"subject:{name}", "subject", f"subject {name}",
            registered_at=None if row is None else row.registered_at,
            registered_by=None if row is None else row.registered_by,
        )  # fmt: skip
