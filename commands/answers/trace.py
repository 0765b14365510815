"""Where a record came from, and what stands on it, as a graph. Reads the ledger; appends nothing.

``projections.graph`` says which kinds of nodes and edges there are. ``graph_of`` makes the graph again from an
answer, to draw it.
"""

from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from commands.answers.lineage.lines import add_lines
from commands.answers.phrases import phrase
from commands.answers.rows import FieldDifference
from commands.answers.typed import read
from commands.inputfile.findings import Finding
from ledger.errors import Refusal
from projections.graph import Edge, Lineage
from projections.lineage import lineage
from projections.lines import RecordStatus, RequestKind, RequestStatus, UploadStatus
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World

MOST = 100  # of a kind beside a record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNode(_Node):
    kind: Literal["session"]
    status: RecordStatus
    subject: str
    session_time: str | None
    location: str
    username: str
    reason: str | None
    message: str | None
    requested_at: str
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringNode(_Node):
    kind: Literal["clustering"]
    status: RecordStatus
    subject: str
    group_name: str | None
    curator: str
    curation_time: str | None
    location: str
    username: str
    reason: str | None
    message: str | None
    requested_at: str
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadNode(_Node):
    """``same_entry`` says of an upload of the same bytes what the entry came to in it."""

    kind: Literal["upload"]
    status: UploadStatus
    filename: str
    subject: str
    username: str
    received_at: str
    replays: str | None
    sessions: int
    clusterings: int
    duplicates: int
    inserted: int
    waiting: int
    errors: int
    same_entry: Literal["unchanged", "changed", "new"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNode(_Node):
    kind: Literal["request"]
    asks_for: RequestKind
    status: RequestStatus
    subject: str
    username: str
    requested_at: str
    reason: str
    decided_by: str | None
    decided_at: str | None
    decision: str | None
    sessions: int
    clusterings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNode(_Node):
    """``bytes`` says whether they are still there, of the file that was looked at."""

    kind: Literal["file"]
    sha256: str
    size_bytes: int
    bytes: Literal["kept", "erased", "changed", "missing"] | None = None
    erased_by: str | None = None
    erased_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTableNode(_Node):
    kind: Literal["sessions-txt"]
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNode(_Node):
    kind: Literal["task"]
    number: int
    start_s: float | None
    stop_s: float | None
    stop_inferred: bool
    arena_apparatus: str | None
    notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeNode(_Node):
    kind: Literal["probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNode(_Node):
    """Null where it was taken back since."""

    kind: Literal["subject"]
    registered_at: str | None
    registered_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNode(_Node):
    """``says`` is the gist of its body."""

    kind: Literal["event"]
    position: int
    type: str
    at: str
    actor: str
    says: str
    via: dict[str, str | None]
    redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNode(_Node):
    kind: Literal["user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramNode(_Node):
    kind: Literal["program"]
    interface: str
    version: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutNode(_Node):
    """``count`` more of a kind, which were not looked at."""

    kind: Literal["left-out"]
    what: str
    count: int
    by_status: dict[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEdge:
    """From what was first to what followed. ``path``, ``line``, ``column`` are the place of an entry in its file,
    ``findings`` what was found there. ``position`` and ``at`` say when, ``name`` what a probe is called on disk,
    ``inserted`` and ``removed`` (local times) when it was in a subject."""

    source: str
    target: str
    kind: str
    index: int | None = None
    path: str | None = None
    line: int | None = None
    column: int | None = None
    findings: list[Finding] | None = None
    differences: list[FieldDifference] | None = None
    position: int | None = None
    at: str | None = None
    name: str | None = None
    serial: str | None = None
    matched_by: str | None = None
    inserted: str | None = None
    removed: str | None = None


Node = (
    SessionNode
    | ClusteringNode
    | UploadNode
    | RequestNode
    | FileNode
    | TaskTableNode
    | TaskNode
    | ProbeNode
    | SubjectNode
    | EventNode
    | UserNode
    | ProgramNode
    | LeftOutNode
)
_NODES: dict[str, type[Any]] = {
    "session": SessionNode,
    "clustering": ClusteringNode,
    "upload": UploadNode,
    "request": RequestNode,
    "file": FileNode,
    "sessions-txt": TaskTableNode,
    "task": TaskNode,
    "probe": ProbeNode,
    "subject": SubjectNode,
    "event": EventNode,
    "user": UserNode,
    "program": ProgramNode,
    "left-out": LeftOutNode,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The graph around the record ``ref``; ``origin`` names the ledger."""

    ref: str
    origin: str
    position: int
    nodes: list[Node]
    edges: list[TraceEdge]


def trace(world: "World", reference: Reference, *, limit: int = MOST) -> Trace:
    """``limit`` is how many of a kind are looked at beside a record, 0 for all of them."""
    graph = lineage(world.transaction, world.head, reference, limit=limit, say=phrase)
    add_lines(world.transaction, graph)
    return _told(world, graph)


def named_trace(world: "World", text: str, *, limit: int = MOST) -> Trace:
    """Of ``subject:12345``, ``probe:NAME`` or ``user:NAME``. Raises Refusal where there is none of that whole name."""
    from commands.answers.history import named_events
    from commands.answers.named import named
    from projections.lineage_named import named_lineage

    try:
        events = named_events(world, text)
    except Refusal:
        named(world, text)  # a user of whom nobody has said anything may own records
        events = []
    return _told(world, named_lineage(world.transaction, world.head, text, events, limit=limit, say=phrase))


def _told(world: "World", graph: Lineage) -> Trace:
    return Trace(
        ref=graph.ref,
        origin=graph.origin,
        position=world.head.size,
        nodes=[
            read(
                _NODES[node.kind], {"id": node.id, "kind": node.kind, "label": node.label, **node.attributes}
            )
            for node in graph.nodes.values()
        ],
        edges=[_edge(edge) for edge in graph.edges.values()],
    )


def _edge(edge: Edge) -> TraceEdge:
    ends = {"source": edge.source, "target": edge.target, "kind": edge.kind}
    return read(TraceEdge, ends | edge.attributes)


def graph_of(answer: Trace) -> Lineage:
    """The graph that an answer describes, without attributes for what is null."""
    graph = Lineage(answer.ref, answer.origin)
    for node in answer.nodes:
        graph.node(node.id, node.kind, node.label, **_said(node, "id", "kind", "label"))
    for edge in answer.edges:
        graph.edge(edge.source, edge.target, edge.kind, **_said(edge, "source", "target", "kind"))
    return graph


def _said(row: Any, *apart: str) -> dict[str, Any]:
    optional = {field.name for field in fields(row) if field.default is not MISSING}
    return {
        name: value
        for name, value in asdict(row).items()
        if name not in apart and not (value is None and name in optional)
    }
