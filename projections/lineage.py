"""Where a record came from and what stands on it, as a graph (``projections.graph``). Reads; appends nothing.

Every query goes by a key, a stream or an index, and reads a bounded number of records: beyond ``limit`` of a kind
beside a record, the rest is counted, not read. So a large ledger takes no longer than a small one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from ledger import log
from ledger.bodies import body_of
from ledger.database import Transaction
from ledger.envelope import StoredEvent
from ledger.log import Head
from projections import lineage_requests as requests
from projections.graph import Lineage, Plain
from projections.lineage_nodes import Look, Say, request_number
from projections.records import Clustering, Session, Upload
from projections.references import Reference

ALL = 2**62
_LONGEST_CHAIN = 500
_TOOK = ("SessionDeleted", "SessionWithdrawn", "ClusteringDeleted", "ClusteringWithdrawn")


def lineage(transaction: Transaction, head: Head, reference: Reference, *, limit: int, say: Say) -> Lineage:
    """The graph around one record; ``limit`` is how many of a kind stand beside a record, 0 for all of them."""
    walk = Walk(transaction, head, str(reference), limit or ALL, say)
    look: dict[str, Callable[[int], None]] = {
        "session": walk.session, "clustering": walk.clustering, "upload": walk.upload, "deletion": walk.request,
    }  # fmt: skip
    look[reference.kind](reference.id)
    return walk.finish()


class Walk(Look):
    def finish(self) -> Lineage:
        """Say which requests took the records that are not looked at step by step."""
        told = {edge.attributes.get("position") for edge in self.graph.edges.values() if edge.kind == "took"}
        told |= {node.attributes["position"] for node in self.graph.nodes.values() if node.kind == "event"}
        taken = {position: name for position, name in self.gone.items() if position not in told}
        rows = self.among(
            "SELECT position, correlation, recorded_at FROM events WHERE position IN ({}) ORDER BY position",
            taken,
        )
        self.state.deletions.prefetch(number for _, text, _ in rows if (number := request_number(text)))
        for position, text, at in rows:
            request = self.request_node(request_number(text))
            if request:
                self.graph.edge(request, taken[position], "took", position=position, at=at)
        return self.graph

    # --- one record, looked at from all sides

    def session(self, number: int) -> None:
        row = self.state.sessions[number]
        name = self.session_node(row)
        events = self._steps(name, f"session/{number}")
        self._inherited(name, events)
        self._entry(row, name, looked_at=True)
        self._tasks_and_probes(name, number)
        self._standing_on([number], others=True)
        self._replacements(row)
        self._again(number, name, "sessions")
        requests.open_ones(self, name, (number, number), events)

    def clustering(self, number: int) -> None:
        row = self.state.clusterings[number]
        name = self.clustering_node(row)
        events = self._steps(name, f"clustering/{number}")
        if row.session is not None:
            session = self.state.sessions[row.session]
            self.graph.edge(self.session_node(session), name, "clustered")
            self._entry(session, f"s{session.id}", looked_at=True)
        else:
            self._entry(row, name, looked_at=True)
            links = self.state.clustering_sessions.where("clustering = ?", [number])
            self._stands(name, [link.session for link in links], most=self.most, entries=True)
            self._again(number, name, "clustering")
        self._replacements(row)
        requests.open_ones(self, name, (number, number), events)

    def upload(self, number: int) -> None:
        row = self.state.uploads[number]
        name = self.upload_node(row)
        events = self._steps(name, f"upload/{number}")
        first = row.first_record or number + 2
        last = first - 1 + row.sessions + row.clusterings
        sessions = self._requested(row, "sessions", first, last)
        self._requested(row, "clusterings", first, last)
        self._standing_on(sessions, others=False)
        self._count_on_left_out(row, first, last, shown=len(sessions))
        self._duplicates_in(row, events)
        self._same_bytes(row, None)
        requests.that_took_of(self, row, first, last)
        requests.open_ones(self, name, (first, last), events)

    def request(self, number: int) -> None:
        row = self.state.deletions[number]
        name = self.request_node(number)
        events = {event.type: event for event in self._steps(name, f"deletion/{number}")}
        if row.upload is not None and (upload := self.state.uploads.get(row.upload)) is not None:
            self.graph.edge(self.upload_node(upload), name, "corrects")
        executed = events.get("DeletionExecuted") or events.get("CorrectionExecuted")
        if executed is not None and "DeletionApproved" in events:
            requests.taken(self, name, row, events["DeletionApproved"].position, executed)
        elif row.kind == "redaction":
            requests.redacted(self, name, int(orjson.loads(row.records)[0] or 0))
        else:
            requests.asked(self, name, row)

    # --- back: what happened, and the file

    def _steps(self, name: str, stream: str) -> list[StoredEvent]:
        """All events of the record. Where there are very many, the first and the newest become nodes."""
        events = log.read_stream(self.transaction, stream)
        self.told(name, events)
        return events

    def told(self, name: str, events: Sequence[StoredEvent]) -> None:
        """The first of these events made it, the others happened to it."""
        shown = events if len(events) <= self.most else [events[0], *events[len(events) - self.most + 1 :]]
        for event in shown:
            step = self.event_node(event)
            if event is events[0]:
                self.graph.edge(step, name, "made")
            else:
                self.graph.edge(name, step, "step")
            if event.type in _TOOK:
                self.graph.edge(step, name, "took")
            request = self.request_node(request_number(event.correlation))
            if request and request != name:
                self.graph.edge(request, step, "request")
        self.graph.left_out(name, "events", len(events) - len(shown))

    def _inherited(self, name: str, events: Sequence[StoredEvent]) -> None:
        for event in events:
            if event.type not in ("SessionInserted", "TasksAdded"):
                continue
            table = body_of(event).get("sessions_txt")
            if table and table["sha256"]:
                text = self.graph.node(
                    f"sessions-txt:{table['sha256']}", "sessions-txt", "sessions.txt", sha256=table["sha256"],
                    rows=len(table["rows"]),
                )  # fmt: skip
                self.graph.edge(text, name, "inherited", position=event.position)

    def _entry(self, row: Session | Clustering, name: str, *, looked_at: bool = False) -> None:
        """The upload that the record is an entry of; ``looked_at``: with its events and what was found in the entry."""
        upload = self.state.uploads.get(row.upload)
        if upload is None:
            return
        path = f"{'sessions' if isinstance(row, Session) else 'clustering'}[{row.entry_index}]"
        source, findings = self.upload_node(upload), []
        if looked_at:
            for event in self._steps(source, f"upload/{upload.id}"):
                if event.type == "InputFileValidated":
                    findings = [f for f in body_of(event)["findings"] if _is_about(f.get("path", ""), path)]
        found: Plain = {"findings": findings[: self.most]} if looked_at else {}
        self.graph.edge(source, name, "entry", index=row.entry_index, path=path, **found)
        if looked_at:
            self._same_bytes(upload, row)

    def _replacements(self, row: Session | Clustering) -> None:
        """The whole chain of corrections, and what stands on the sessions that came later."""
        rows: Any = self.state.sessions if isinstance(row, Session) else self.state.clusterings
        for forward in (False, True):
            at = row
            for _ in range(min(self.most, _LONGEST_CHAIN)):
                number = at.replaced_by if forward else at.replaces
                other = None if number is None else rows.get(number)
                if other is None:
                    break
                old, new = (at, other) if forward else (other, at)
                self.graph.edge(self.record_node(old), self.record_node(new), "replaced")
                self._entry(other, self.record_node(other))
                if forward and isinstance(other, Session):
                    self._standing_on([other.id], others=False)
                at = other

    def _again(self, number: int, name: str, path: str) -> None:
        """The uploads that listed the record, because their entry differs from it."""
        table = self.state.duplicates.table
        rows = self.first_of(
            f"SELECT upload, entry_index FROM {table} WHERE record = ? ORDER BY upload DESC", number
        )
        indexes = dict(reversed(rows))
        for upload in self.there(self.state.uploads, indexes):
            index = indexes[upload.id]
            self.graph.edge(name, self.upload_node(upload), "again", index=index, path=f"{path}[{index}]")
        if len(rows) == self.most:
            count = self.count(f"SELECT count(*) FROM {table} WHERE record = ?", number)
            self.graph.left_out(name, "uploads that brought it again", count - len(rows))

    def _same_bytes(self, upload: Upload, entry: Session | Clustering | None) -> None:
        """The newest other uploads of the same bytes, replays included, and what became of the entry in each. They
        cost the most to look at, and tell the least.
        """
        if not upload.sha256:
            return
        most = max(1, self.most // 10)
        table, where = self.state.uploads.table, "WHERE sha256 = ? AND id <> ?"
        newest = f"SELECT id FROM {table} {where} ORDER BY id DESC"
        found = self.first_of(newest, upload.sha256, upload.id, most=most)
        numbers = [row[0] for row in reversed(found)]
        events = {} if entry is None else log.read_positions(self.transaction, [n + 1 for n in numbers])
        for other in self.there(self.state.uploads, numbers):
            name = self.upload_node(other)
            for one in (other, upload):
                if one.replays is not None and f"u{one.replays}" in self.graph.nodes:
                    self.graph.edge(f"u{one.replays}", f"u{one.id}", "reads")
            event = events.get(other.id + 1)
            if entry is not None and event is not None and event.type == "InputFileValidated":
                self._same_entry(name, other, entry, body_of(event))
        if len(numbers) == most:
            count = self.count(f"SELECT count(*) FROM {table} {where}", upload.sha256, upload.id)
            self.graph.left_out(f"u{upload.id}", "uploads of the same bytes", count - len(numbers))

    def _same_entry(self, name: str, upload: Upload, entry: Session | Clustering, body: Plain) -> None:
        """What became of the same entry in another upload of the same bytes, as far as the log says."""
        kind = "sessions" if isinstance(entry, Session) else "clusterings"
        index = entry.entry_index
        known = [range(first, last + 1) for first, last in body[f"unchanged_{kind}"]]
        changed = [one["index"] for one in body[f"changed_{kind}"]]
        is_known = any(index in some for some in known)
        outcome = "unchanged" if is_known else "changed" if index in changed else "new"
        self.graph.nodes[name].attributes["same_entry"] = outcome
        if outcome != "new":
            return
        before = sum(max(0, min(some.stop, index) - some.start) for some in known)
        before += sum(other < index for other in changed)
        number = (upload.first_record or upload.id + 2) + index - before
        if kind == "clusterings":
            sessions = [range(first, last + 1) for first, last in body["unchanged_sessions"]]
            number += upload.sessions - sum(map(len, sessions)) - len(body["changed_sessions"])
        rows: Any = self.state.sessions if kind == "sessions" else self.state.clusterings
        row = rows.get(number)
        if row is not None and (row.upload, row.entry_index) == (upload.id, index) and row.id != entry.id:
            self._entry(row, self.record_node(row))

    # --- forward: what stands on it

    def _tasks_and_probes(self, name: str, number: int) -> None:
        tasks = self.state.tasks.where("session = ?", [number])
        for task in tasks[: self.most]:
            node = self.graph.node(
                f"task:{name}/{task.number}", "task", task.task_type, number=task.number, start_s=task.start_s,
                stop_s=task.stop_s, stop_inferred=bool(task.stop_inferred), arena_apparatus=task.arena_apparatus,
                notes=task.notes,
            )  # fmt: skip
            self.graph.edge(name, node, "task")
        self.graph.left_out(name, "tasks", len(tasks) - self.most)
        for probe in self.state.probes.where("session = ?", [number]):
            node = self.graph.node(f"probe:{probe.probe}", "probe", probe.probe)
            self.graph.edge(
                node, name, "recorded", name=probe.name, serial=probe.serial, matched_by=probe.matched_by
            )

    def _standing_on(self, sessions: Sequence[int], *, others: bool) -> None:
        """The clusterings of these sessions; with ``others``, the further sessions that those stand on as well."""
        for row in self.there(self.state.sessions, sessions):
            self.session_node(row)
        table, links = self.state.clusterings.table, self.state.clustering_sessions.table
        single = self.among(f"SELECT id, session FROM {table} WHERE session IN ({{}}) ORDER BY id", sessions)
        several = self.among(
            f"SELECT clustering, session FROM {links} WHERE session IN ({{}}) ORDER BY 1, 2", sessions
        )
        for kind, pairs in (("clustered", single), ("stands", several)):
            shown = pairs[: self.most]
            for clustering in self.there(self.state.clusterings, [number for number, _ in shown]):
                self.clustering_node(clustering)
            for number, session in shown:
                self.graph.edge(f"s{session}", f"c{number}", kind)
            parent = f"s{sessions[0]}" if len(sessions) == 1 else self.graph.ref
            what = "clusterings" if kind == "clustered" else "places in multi-session clusterings"
            self.graph.left_out(parent, what, len(pairs) - self.most)
        if others:
            left = self.most
            for number in dict.fromkeys(number for number, _ in several[: self.most]):
                rows = self.state.clustering_sessions.where("clustering = ?", [number])
                further = [row.session for row in rows if row.session not in sessions]
                self._stands(f"c{number}", further, most=left)
                left = max(0, left - len(further))

    def _stands(self, clustering: str, sessions: Sequence[int], *, most: int, entries: bool = False) -> None:
        shown = sessions[:most]
        rows = self.there(self.state.sessions, shown)
        self.state.uploads.prefetch(row.upload for row in rows if entries)
        for row in rows:
            self.graph.edge(self.session_node(row), clustering, "stands")
            if entries:
                self._entry(row, f"s{row.id}")
        self.graph.left_out(clustering, "sessions", len(sessions) - len(shown))

    # --- an upload

    def _requested(self, upload: Upload, table: str, first: int, last: int) -> list[int]:
        """The records that the upload asked for, and how many more there are in which status."""
        rows: Any = getattr(self.state, table)
        several = "" if table == "sessions" else " AND session IS NULL"
        where = f"WHERE id BETWEEN ? AND ? AND upload = ?{several}"
        found = self.first_of(f"SELECT id FROM {rows.table} {where} ORDER BY id", first, last, upload.id)
        numbers = [row[0] for row in found]
        shown: dict[str, int] = {}
        for row in self.there(rows, numbers):
            self._entry(row, self.record_node(row))
            shown[row.status] = shown.get(row.status, 0) + 1
        if len(numbers) == self.most:
            sql = f"SELECT status, count(*) FROM {rows.table} {where} GROUP BY status ORDER BY status"
            counts = self.transaction.run(sql, (first, last, upload.id)).fetchall()
            beyond = {status: count - shown.get(status, 0) for status, count in counts}
            left = {status: count for status, count in beyond.items() if count}
            self.graph.left_out(f"u{upload.id}", table, sum(left.values()), by_status=left)
        return numbers

    def _count_on_left_out(self, upload: Upload, first: int, last: int, *, shown: int) -> None:
        """How many clusterings of one session stand on the sessions that are not shown."""
        if shown < self.most:
            return
        beyond = f"id BETWEEN ? AND ? AND upload = ? ORDER BY id LIMIT {ALL} OFFSET {shown}"
        sql = (
            f"SELECT count(*) FROM {self.state.clusterings.table} WHERE session IN "
            f"(SELECT id FROM {self.state.sessions.table} WHERE {beyond})"
        )
        count = self.count(sql, first, last, upload.id)
        self.graph.left_out(f"u{upload.id}", "clusterings of those sessions", count)

    def _duplicates_in(self, upload: Upload, events: Iterable[StoredEvent]) -> None:
        """The records that its entries brought again with differences; the log has no ids of the others."""
        for event in events:
            if event.type != "InputFileValidated":
                continue
            body, name = body_of(event), f"u{upload.id}"
            for kind, path in (("session", "sessions"), ("clustering", "clustering")):
                changed = [entry for entry in body[f"changed_{kind}s"] if entry[kind]]
                rows: Any = self.state.sessions if kind == "session" else self.state.clusterings
                entries = {int(entry[kind][1:]): entry for entry in reversed(changed[: self.most])}
                for row in self.there(rows, reversed(entries)):
                    entry = entries[row.id]
                    self.graph.edge(
                        self.record_node(row), name, "again", index=entry["index"], path=f"{path}[{entry['index']}]",
                        differences=entry["differences"],
                    )  # fmt: skip
                self.graph.left_out(name, f"{kind}s that it brought again", len(changed) - self.most)


def _is_about(path: str, entry: str) -> bool:
    """Whether a finding's path is that of the entry or of something in it."""
    return path == entry or path.startswith((f"{entry}.", f"{entry}["))
