"""Trace a record of a lab of the tests."""

from typing import Any

from commands.answers.lineage.lines import add_lines
from projections.graph import Lineage, Node
from projections.lineage import lineage
from projections.references import find
from tests.intake.lab import Lab

Plain = dict[str, Any]


def say(kind: str, body: Plain) -> str:
    return ""


def traced(lab: Lab, ref: str, *, limit: int = 100) -> Lineage:
    with lab.daybook.reading() as world:
        graph = lineage(
            world.transaction,
            world.head,
            find(world.transaction, world.head.live_slot, ref),
            limit=limit,
            say=say,
        )
        add_lines(world.transaction, graph)
    return graph


def edges(graph: Lineage, kind: str) -> list[tuple[str, str]]:
    """Of one kind: (from, to), in order."""
    return sorted((edge.source, edge.target) for edge in graph.edges.values() if edge.kind == kind)


def attributes(graph: Lineage, source: str, target: str, kind: str) -> Plain:
    return graph.edges[source, target, kind].attributes


def steps(graph: Lineage, name: str) -> list[str]:
    """The types of the events that a record went through, in order."""
    found = [
        node for _, node in [*graph.into(name, "made"), *graph.out_of(name, "step")] if node.kind == "event"
    ]
    return [node.attributes["type"] for node in sorted(found, key=_position)]


def _position(node: Node) -> int:
    position: int = node.attributes["position"]
    return position


def left_out(graph: Lineage) -> Plain:
    """What is only counted, by the record beside which it stands."""
    return {
        (edge.source, graph.nodes[edge.target].attributes["what"]): graph.nodes[edge.target].attributes[
            "count"
        ]
        for edge in graph.edges.values()
        if edge.kind == "left-out"
    }
