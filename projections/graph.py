"""A lineage as a graph: nodes for records, files, people, programs and events, edges from earlier to later. Data
only.

Kinds of nodes: subject, session, clustering, upload, request (d70), file, sessions-txt, task, probe, event, user,
program, and left-out, which says how many more there are. Kinds of edges, each from what was first to what followed:

======== ================================== ===================================================================
content  file -> upload                     these bytes were uploaded
entry    upload -> session, clustering      an entry of its file, with ``path`` and, where the file tells, ``line``
made     event -> record                    the first event of a record
step     record -> event                    what happened to it since
took     event, request -> record           it was deleted or withdrawn then
did      user -> event                      who caused it
ran      program -> event                   through which interface, version and host
request  request -> event                   the request that the event carries out
asks     request -> record                  an open request would take it
task     session -> task
recorded probe -> session
clustered session -> clustering             a clustering of one session
stands   session -> clustering              a multi-session clustering stands on it
inserted probe -> subject                   with the local times ``inserted`` and ``removed``
of       subject -> session
owns     user -> upload, request            in the lineage of a user
inherited sessions-txt -> session           tasks took times or notes from it
replaced session, clustering -> the same    by a correction
again    session, clustering -> upload      an entry of that file is the same record, with differences
reads    upload -> upload                   a replay of its bytes
corrects upload -> request                  the file of a correction
redacts  request -> event                   the payload of the event is gone, or would go
left-out any -> left-out                    more of the same kind, counted
======== ================================== ===================================================================
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Plain = dict[str, Any]
RECORDS = ("session", "clustering", "upload", "request")


@dataclass(frozen=True, slots=True)
class Node:
    """``id`` is unique in the graph: s12, c34, u56, d70, e123 (an event's position), user:user_1, file:SHA256."""

    id: str
    kind: str
    label: str
    attributes: Plain


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    kind: str
    attributes: Plain


@dataclass(slots=True)
class Lineage:
    """The graph around the record ``ref``; ``origin`` names the ledger."""

    ref: str
    origin: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], Edge] = field(default_factory=dict)
    _leaving: dict[str, list[Edge]] = field(default_factory=dict, repr=False)
    _arriving: dict[str, list[Edge]] = field(default_factory=dict, repr=False)

    def node(self, name: str, kind: str, label: str, **attributes: Any) -> str:
        """Add a node unless it is there, and return its id."""
        if name not in self.nodes:
            self.nodes[name] = Node(name, kind, label, attributes)
        return name

    def edge(self, source: str, target: str, kind: str, **attributes: Any) -> None:
        """Add an edge between two nodes, unless it is there or one of them is not."""
        key = (source, target, kind)
        if key not in self.edges and source in self.nodes and target in self.nodes:
            self.edges[key] = edge = Edge(source, target, kind, attributes)
            self._leaving.setdefault(source, []).append(edge)
            self._arriving.setdefault(target, []).append(edge)

    def left_out(self, parent: str, what: str, count: int, **attributes: Any) -> None:
        """Say that ``count`` more of a kind stand beside ``parent``."""
        if count > 0:
            label = f"{count:,} more {what}"
            name = self.node(f"more:{parent}:{what}", "left-out", label, what=what, count=count, **attributes)
            self.edge(parent, name, "left-out")

    def out_of(self, name: str, *kinds: str) -> Iterator[tuple[Edge, Node]]:
        """The edges of these kinds that leave a node, each with the node that it leads to."""
        for edge in self._leaving.get(name, ()):
            if edge.kind in kinds:
                yield edge, self.nodes[edge.target]

    def into(self, name: str, *kinds: str) -> Iterator[tuple[Edge, Node]]:
        """The edges of these kinds that arrive at a node, each with the node that it comes from."""
        for edge in self._arriving.get(name, ()):
            if edge.kind in kinds:
                yield edge, self.nodes[edge.source]

    def plain(self) -> Plain:
        """As one JSON document."""
        return {
            "ref": self.ref,
            "nodes": [
                {"id": node.id, "kind": node.kind, "label": node.label, **node.attributes}
                for node in self.nodes.values()
            ],
            "edges": [
                {"from": edge.source, "to": edge.target, "kind": edge.kind, **edge.attributes}
                for edge in self.edges.values()
            ],
        }
