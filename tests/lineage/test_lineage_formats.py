"""The formats are functions of the graph: whatever users wrote, what comes out can be read, and says the same."""

import json
import warnings
from typing import Any

import prov
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.answers.lineage.drawings import dot, mermaid
from commands.answers.lineage.prov import prov_json
from commands.cli.lineage_tree import text_lines
from projections.graph import Lineage
from tests.lineage.drawn import read_dot, read_mermaid
from tests.lineage.provenance import checked

HOSTILE = [
    'quote " and "quotes"', "back\\slash", "ends in \\", "\\n \\l \\G", "line\nbreak\r\t", "<b>html</b> &amp; &#35;",
    "#35; #quot; #", "]] }} )) |pipe| --> n1", "%%{init: {}}%%", "end", "style a:#b; classDef x:#y;", "`markdown` **b** _i_",
    "\x00\x1b[31m", "Überfluß 中 😀", "", " ", "1. list", "urn:x y/%2F?#frag", "</script>",
]  # fmt: skip
_AT = "2026-01-31T14:30:00.000000Z"


def graph_of(text: str) -> Lineage:
    """A small lineage in which every text that comes from users is ``text``."""
    graph = Lineage("s3", f"daybook/{text}")
    graph.node(
        "u1",
        "upload",
        "u1 processed",
        filename=text,
        status="processed",
        username=text,
        received_at=_AT,
        replays=None,
    )
    graph.node("file:" + "0" * 64, "file", text, sha256="0" * 64, size_bytes=3, bytes="kept")
    graph.node(
        "s3", "session", "s3 deleted", status="deleted", subject=text, session_time=None, location=text, username=text,
        requested_at=_AT, reason=None,
    )  # fmt: skip
    graph.node(
        "d9", "request", "d9 deletion executed", status="executed", username=text, requested_at=_AT, reason=text,
        decided_by=None, decided_at=None,
    )  # fmt: skip
    for position, kind in ((1, "InputFileReceived"), (3, "SessionInsertRequested"), (10, "SessionDeleted")):
        via = {"interface": "cli", "version": "1", "host": text}
        graph.node(
            f"e{position}",
            "event",
            kind,
            position=position,
            type=kind,
            at=_AT,
            actor=text,
            says=text,
            via=via,
        )
        graph.node(f"user:{text}", "user", text)
        graph.node(f"program:cli:1:{text}", "program", "daybook 1", interface="cli", version="1", host=text)
        graph.edge(f"user:{text}", f"e{position}", "did")
        graph.edge(f"program:cli:1:{text}", f"e{position}", "ran")
    graph.edge("file:" + "0" * 64, "u1", "content")
    graph.edge("e1", "u1", "made")
    graph.edge("e3", "s3", "made")
    graph.edge("u1", "s3", "entry", index=0, path="sessions[0]", line=4, column=3, findings=[])
    graph.edge("s3", "e10", "step")
    graph.edge("e10", "s3", "took")
    graph.edge("d9", "e10", "request")
    return graph


def visible(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_drawings_hold_any_text_as_it_is(text: str) -> None:
    graph = graph_of(text)

    graphviz, flowchart = read_dot(dot(graph)), read_mermaid(mermaid(graph))

    assert len(graphviz.nodes) == len(flowchart.nodes) == len(graph.nodes) - 1  # but for the program
    assert len(graphviz.edges) == len(flowchart.edges) == len(graph.edges) - 3
    assert {end for edge in graphviz.edges for end in edge[:2]} <= graphviz.nodes.keys()
    assert {end for edge in flowchart.edges for end in edge[:2]} <= flowchart.nodes.keys()
    if text:
        assert f"location: {visible(text)}" in graphviz.nodes["s3"]
        assert f"location: {visible(text)}" in [line for lines in flowchart.nodes.values() for line in lines]
    assert list(graphviz.nodes.values()) == list(flowchart.nodes.values())
    assert ("u1", "s3", "entry sessions[0], line 4") in graphviz.edges


@given(st.text(max_size=60))
def test_drawings_can_be_read_whatever_the_text(text: str) -> None:
    graph = graph_of(text.encode("utf-8", "ignore").decode())

    assert list(read_dot(dot(graph)).nodes.values()) == list(read_mermaid(mermaid(graph)).nodes.values())


@pytest.mark.parametrize("text", HOSTILE)
def test_provenance_is_prov_whatever_the_text(text: str) -> None:
    document = checked(prov_json(graph_of(text)))

    entity = document["entity"]["ledger:s3"]
    assert entity["prov:type"] == {"$": "daybook:Session", "type": "prov:QUALIFIED_NAME"}
    assert entity.get("daybook:location", "") == text
    assert list(document["wasInvalidatedBy"].values()) == [
        {"prov:entity": "ledger:s3", "prov:activity": "ledger:e10", "prov:time": _AT}
    ]
    (derived,) = [
        one for one in document["wasDerivedFrom"].values() if one["prov:generatedEntity"] == "ledger:s3"
    ]
    assert (derived["prov:usedEntity"], derived["daybook:line"]) == ("ledger:u1", 4)


def test_what_was_deleted_and_restored_is_not_invalidated() -> None:
    graph = graph_of("x")
    graph.nodes["s3"].attributes["status"] = "inserted"

    document = checked(prov_json(graph))

    assert "wasInvalidatedBy" not in document
    assert {"prov:activity": "ledger:e10", "prov:entity": "ledger:s3", "prov:time": _AT} in document[
        "used"
    ].values()


def test_the_checks_of_provenance_find_what_is_wrong() -> None:
    def broken(change: str, value: dict[str, Any]) -> dict[str, Any]:
        document = prov_json(graph_of("x"))
        document.setdefault(change, {})["_:extra"] = value
        return document

    for document in (
        broken("used", {"prov:activity": "ledger:e10", "prov:entity": "ledger:nobody"}),
        broken("wasGeneratedBy", {"prov:entity": "ledger:s3", "prov:activity": "ledger:e10"}),
        broken("used", {"prov:activity": "nowhere:e10", "prov:entity": "ledger:s3"}),
    ):
        with pytest.raises((AssertionError, prov.Error, Warning)):
            checked(document)


def test_text_and_json_say_all_of_the_graph() -> None:
    graph = graph_of("x")

    lines, plain = text_lines(graph), graph.plain()

    assert lines[0] == "s3 deleted, x, of x"
    assert any("sessions[0], line 4, column 3" in line for line in lines)
    assert any(line.endswith("10  2026-01-31 14:30:00Z  x  SessionDeleted: x") for line in lines)
    assert json.loads(json.dumps(plain))["ref"] == "s3"
    assert len(plain["nodes"]) == len(graph.nodes) and len(plain["edges"]) == len(graph.edges)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked(prov_json(graph))
