"""Whatever happened: the lineage of every record says what the log says, in every format, then as now."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.answers.lineage.drawings import dot, mermaid
from commands.answers.lineage.lines import add_lines
from commands.answers.lineage.prov import prov_json
from commands.cli.lineage_tree import text_lines
from ledger import log
from ledger.bodies import body_of
from ledger.database import Database, Transaction
from ledger.envelope import StoredEvent
from ledger.log import Head
from projections.graph import Lineage
from projections.lineage import Walk, lineage
from projections.lineage_requests import _OPEN
from projections.past import put_before
from projections.references import Kind, Reference
from tests.length import TIMES
from tests.lineage.drawn import read_dot, read_mermaid
from tests.lineage.looking import edges, say, steps
from tests.lineage.provenance import checked
from tests.projections.test_rebuild_equals_incremental import write_history

EXAMPLES = {"sqlite": 6, "postgresql": 2}
KINDS: tuple[Kind, ...] = ("session", "clustering", "upload", "deletion")


def look(transaction: Transaction, head: Head, reference: Reference, limit: int = 0) -> Lineage:
    graph = lineage(transaction, head, reference, limit=limit, say=say)
    add_lines(transaction, graph)
    return graph


class Told:
    """What the log itself says of the links between records."""

    def __init__(self, events: list[StoredEvent]) -> None:
        self.streams: dict[str, list[str]] = {}
        self.took: list[tuple[str, str]] = []
        self.taken: dict[str, set[str]] = {}
        self.again: set[tuple[str, str]] = set()
        self.stands: dict[int, list[int]] = {}
        self.clustered: set[tuple[str, str]] = set()
        for event in events:
            body, (kind, _, name) = body_of(event), event.stream.partition("/")
            self.streams.setdefault(event.stream, []).append(event.type)
            if event.type.endswith(("Deleted", "Withdrawn")):
                self.took.append((f"e{event.position}", f"{kind[0]}{name}"))
                self.taken.setdefault(event.correlation, set()).add(f"{kind[0]}{name}")
            elif event.type == "InputFileValidated":
                for one in [*body["changed_sessions"], *body["changed_clusterings"]]:
                    self.again.add((one.get("session") or one.get("clustering"), f"u{name}"))
            elif event.type == "ClusteringInsertRequested" and body["session"] is not None:
                self.clustered.add((f"s{body['session']}", f"c{name}"))
            elif event.type in ("ClusteringInsertRequested", "ClusteringEntryRenewed"):
                self.stands[int(name)] = list(body["sessions"])
            elif event.type == "ClusteringInserted" and body["session"] is not None:
                self.clustered.add((f"s{body['session']}", f"c{name}"))
            elif event.type == "ClusteringCarriedOver":
                pairs = dict(body["sessions"])
                self.stands[int(name)] = [pairs.get(one, one) for one in self.stands[int(name)]]

    def standing_on(self, session: int) -> set[tuple[str, str]]:
        return {(f"s{session}", f"c{name}") for name, sessions in self.stands.items() if session in sessions}


def test_a_lineage_says_what_the_log_says(shared_database: Database) -> None:
    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), number=st.integers(20, 80))
    def check(seed: int, number: int) -> None:
        history = write_history(shared_database, seed, number)
        with shared_database.reading() as transaction:
            head = log.read_head(transaction)
            told = Told(log.read_all(transaction, limit=head.size))
            for one in history.sessions[:12]:
                graph, name = look(transaction, head, Reference("session", one.id)), f"s{one.id}"
                assert steps(graph, name) == told.streams[f"session/{one.id}"]
                assert [pair for pair in edges(graph, "took") if pair[0][0] == "e"] == sorted(
                    pair for pair in told.took if pair[1] == name
                )
                assert {pair for pair in edges(graph, "again") if pair[0] == name} == {
                    pair for pair in told.again if pair[0] == name
                }
                assert {pair for pair in edges(graph, "clustered") if pair[0] == name} == {
                    pair for pair in told.clustered if pair[0] == name
                }
                assert {p for p in edges(graph, "stands") if p[0] == name} == told.standing_on(one.id)
            for group in [one for one in history.clusterings if one.id in told.stands][:6]:
                graph = look(transaction, head, Reference("clustering", group.id))
                assert {(f"s{n}", f"c{group.id}") for n in told.stands[group.id]} == set(
                    edges(graph, "stands")
                )
            for request in history.requests[:8]:
                graph = look(transaction, head, Reference("deletion", request.id))
                mine = {e.target for e in graph.edges.values() if e.kind == "took" and e.source[0] == "e"}
                assert mine == told.taken.get(f"d{request.id}", set())

    check()


def test_every_format_can_tell_of_everything(shared_database: Database) -> None:
    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), limit=st.sampled_from([0, 1, 3]))
    def check(seed: int, limit: int) -> None:
        history = write_history(shared_database, seed, 40)
        records: list[tuple[Kind, list[Any]]] = [
            ("session", history.sessions), ("clustering", history.clusterings), ("upload", history.uploads),
            ("deletion", history.requests),
        ]  # fmt: skip
        with shared_database.reading() as transaction:
            head = log.read_head(transaction)
            for kind, found in records:
                for one in found[-3:]:
                    graph = look(transaction, head, Reference(kind, one.id), limit)
                    assert list(read_dot(dot(graph)).nodes.values()) == list(
                        read_mermaid(mermaid(graph)).nodes.values()
                    )
                    checked(prov_json(graph))
                    assert text_lines(graph)[0].startswith(f"{graph.ref} ")
                    if limit:
                        nearest = [e for e in graph.edges.values() if graph.ref in (e.source, e.target)]
                        kinds = {(edge.kind, edge.source == graph.ref) for edge in nearest}
                        bounded_otherwise = {("left-out", True), ("recorded", False), ("asks", False)}
                        asks = [e for e in nearest if (e.kind, e.source == graph.ref) == ("asks", False)]
                        assert len(asks) <= _OPEN
                        for edge_kind, leaving in kinds - bounded_otherwise:
                            of_kind = [
                                e for e in nearest if (e.kind, e.source == graph.ref) == (edge_kind, leaving)
                            ]
                            assert len(of_kind) <= 2 * limit, edge_kind

    check()


def test_a_lineage_of_the_past_is_the_one_of_then(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In these histories all files are the same bytes, whatever their subject: no reading of one subject has those."""
    monkeypatch.setattr(Walk, "_same_bytes", lambda walk, upload, entry: None)

    def then(position: int, about: Callable[[Any], None], reference: Reference) -> Any:
        with shared_database.past() as transaction:
            head = put_before(transaction, position, about)
            return look(transaction, head, reference).plain()

    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), back=st.integers(0, 30))
    def check(seed: int, back: int) -> None:
        history = write_history(shared_database, seed, 40)
        with shared_database.reading() as transaction:
            position = log.read_head(transaction).size - back
        for kind, found in (("session", history.sessions), ("deletion", history.requests)):
            for number in [one.id for one in found if one.id <= position][-2:]:
                reference = Reference(kind, number)  # type: ignore[arg-type]

                about_it = then(position, lambda past: past.named(f"{reference}"), reference)  # noqa: B023

                assert about_it == then(position, lambda past: past.everything(), reference)

    check()
