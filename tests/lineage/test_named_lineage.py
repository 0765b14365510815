"""The lineage of a subject, a probe and a user, in every format."""

import json
from typing import Any

import pytest

from commands.answers.lineage.drawings import dot, mermaid
from commands.answers.lineage.prov import prov_json
from commands.answers.trace import graph_of, named_trace
from commands.cli.lineage_tree import text_lines
from ledger.errors import Refusal
from projections.graph import Lineage
from tests.intake.lab import PROBES, SUBJECT, Lab, session
from tests.lineage.drawn import read_dot, read_mermaid
from tests.lineage.provenance import checked


def lineage_of(lab: Lab, ref: str, limit: int = 100) -> Lineage:
    with lab.daybook.reading() as world:
        return graph_of(named_trace(world, ref, limit=limit))


def kinds(graph: Lineage, kind: str) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in graph.edges.values() if edge.kind == kind}


def test_subject_shows_its_probes_its_sessions_and_what_happened_to_it(lab: Lab) -> None:
    names = lab.record_many(2)
    refs = [entry.session for entry in lab.upload(*map(session, names)).sessions]

    graph = lineage_of(lab, f"subject:{SUBJECT}")

    assert kinds(graph, "inserted") == {(f"probe:{probe}", graph.ref) for probe in PROBES}
    assert kinds(graph, "of") == {(graph.ref, ref) for ref in refs}
    assert len(kinds(graph, "made")) == 1 and len(kinds(graph, "step")) == 2
    limited = lineage_of(lab, f"subject:{SUBJECT}", limit=1)
    assert kinds(limited, "of") == {(graph.ref, refs[-1])}  # the newest
    assert "1 more sessions" in {node.label for node in limited.nodes.values()}


def test_probe_shows_where_it_was_and_what_it_recorded(lab: Lab) -> None:
    [name] = lab.record_many(1)
    [entry] = lab.upload(session(name)).sessions

    graph = lineage_of(lab, f"probe:{PROBES[0]}")

    assert kinds(graph, "inserted") == {(graph.ref, f"subject:{SUBJECT}")}
    assert kinds(graph, "recorded") == {(graph.ref, entry.session)}


def test_user_shows_uploads_though_nobody_gave_a_role(lab: Lab) -> None:
    [name] = lab.record_many(1)
    upload = lab.upload(session(name), user="user_2").upload

    assert kinds(lineage_of(lab, "user:user_2"), "owns") == {("user:user_2", str(upload))}


@pytest.mark.parametrize("ref", [f"subject:{SUBJECT}", f"probe:{PROBES[0]}", "user:user_1"])
def test_each_can_be_drawn_and_told(lab: Lab, ref: str) -> None:
    [name] = lab.record_many(1)
    lab.upload(session(name))
    graph = lineage_of(lab, ref)

    lines = text_lines(graph)
    drawn: list[Any] = [read_dot(dot(graph)), read_mermaid(mermaid(graph))]

    assert lines and all(line.strip() for line in lines)
    assert all(len(one.nodes) > 2 for one in drawn)
    checked(json.loads(json.dumps(prov_json(graph))))


@pytest.mark.parametrize("ref", ["subject:nobody", "probe:none", "user:nobody"])
def test_what_is_not_there_is_refused(lab: Lab, ref: str) -> None:
    with pytest.raises(Refusal) as caught:
        lineage_of(lab, ref)
    assert caught.value.code == "not-found"
