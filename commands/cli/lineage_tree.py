"""A lineage as an indented tree, for people. A pure function of the graph: no ledger, no terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from commands.answers.sentences import authenticated
from ledger.plurals import plural
from projections.graph import Edge, Lineage, Node


@dataclass(slots=True)
class Branch:
    """A line of the tree and what hangs below it."""

    text: str
    below: list["Branch"] = field(default_factory=list)


def text_lines(graph: Lineage) -> list[str]:
    """The lines of the tree; what users wrote stands there unchanged, control characters included."""
    root = graph.nodes[graph.ref]
    lines = [_record(root)]
    sections = [Branch(title, below) for title, below in _sections(graph, root) if below]
    return lines + list(_drawn(sections, ""))


def _drawn(branches: Sequence[Branch], indent: str) -> Iterator[str]:
    for number, branch in enumerate(branches, start=1):
        last = number == len(branches)
        yield f"{indent}{'└─' if last else '├─'} {branch.text}"
        yield from _drawn(branch.below, indent + ("   " if last else "│  "))


def _sections(graph: Lineage, root: Node) -> Iterator[tuple[str, list[Branch]]]:
    if root.kind == "upload":
        yield "the file", [_file(node) for _, node in graph.into(root.id, "content")]
        yield "through", _through(graph, root.id)
    else:
        yield "came from", list(_origin(graph, root))
    yield "what became of it", _steps(graph, root.id)
    if root.kind in ("subject", "probe"):
        yield "inserted", [_insertion(edge, node) for edge, node in _insertions(graph, root)]
    if root.kind == "probe":
        recorded = graph.out_of(root.id, "recorded")
        yield (
            "recorded",
            [Branch(f"{_record(node)}: {edge.attributes['name']} on disk") for edge, node in recorded],
        )
    yield (
        "sessions",
        [
            Branch(_record(node), list(_standing(graph, node.id, others=False)))
            for _, node in graph.out_of(root.id, "of")
        ],
    )
    for kind in ("upload", "request"):
        owned = [Branch(_record(node)) for _, node in graph.out_of(root.id, "owns") if node.kind == kind]
        yield f"{kind}s", owned
    if root.kind == "clustering":
        yield "stands on", [_sourced(graph, node) for _, node in graph.into(root.id, "clustered", "stands")]
    yield "entries", [_entry(graph, edge, node) for edge, node in graph.out_of(root.id, "entry")]
    yield "what stands on it", list(_standing(graph, root.id))
    yield "replaced", list(_replaced(graph, root))
    yield "took", [_sourced(graph, node) for node in _taken(graph, root)]
    yield (
        "taken by",
        [Branch(_record(node)) for _, node in graph.into(root.id, "took") if node.kind == "request"],
    )
    yield "open requests for it", [Branch(_record(node)) for _, node in graph.into(root.id, "asks")]
    yield "would take", [_sourced(graph, node) for _, node in graph.out_of(root.id, "asks")]
    yield "the payload of", [Branch(_event(node)) for _, node in graph.out_of(root.id, "redacts")]
    yield "brought again, with differences", _again(graph, root)
    yield "the same bytes again", list(_same_bytes(graph, root))
    yield "left out", list(_left_out(graph, root))


def _insertions(graph: Lineage, root: Node) -> Iterator[tuple[Edge, Node]]:
    yield from (
        graph.into(root.id, "inserted") if root.kind == "subject" else graph.out_of(root.id, "inserted")
    )


def _insertion(edge: Edge, node: Node) -> Branch:
    found = edge.attributes
    what = node.label if node.kind == "subject" else f"probe {node.label}"
    until = f" to {found['removed']}" if found.get("removed") else ""
    return Branch(f"{what}, from {found['inserted']}{until}")


# --- back -------------------------------------------------------------------------------------------------


def _origin(graph: Lineage, root: Node) -> Iterator[Branch]:
    """The file, the entry in it, the upload and what was found, of the entry that the record came from."""
    holders = [root.id, *(node.id for _, node in graph.into(root.id, "clustered"))]
    for edge, upload in [found for name in holders for found in graph.into(name, "entry")]:
        for _, file in graph.into(upload.id, "content"):
            branch = _file(file)
            branch.below.append(Branch(_place(edge)))
            yield branch
        if not any(graph.into(upload.id, "content")):
            yield Branch("an input file whose receipt was redacted", [Branch(edge.attributes["path"])])
        branch = Branch(_record(upload), [Branch(line.text) for line in _through(graph, upload.id)])
        branch.below += _steps(graph, upload.id)
        yield branch
        yield _findings(edge)
    for _, upload in graph.into(root.id, "corrects"):
        yield Branch(_record(upload))
    for _, text in graph.into(root.id, "inherited"):
        yield Branch(f"sessions.txt, {text.attributes['rows']} rows, sha256 {text.attributes['sha256']}")


def _file(file: Node) -> Branch:
    found = file.attributes
    branch = Branch(f"{file.label}, {found['size_bytes']:,} bytes, sha256 {found['sha256']}")
    state = found.get("bytes", "kept")
    if state == "erased":
        branch.text += f" (its bytes were erased by {found['erased_by']}, {_time(found['erased_at'])})"
    elif state != "kept":
        branch.text += f" (its bytes are {state}: run daybook verify)"
    return branch


def _place(edge: Edge) -> str:
    path, line = edge.attributes["path"], edge.attributes.get("line")
    if line is None:
        return f"{path}; the line is not known, because the file is not there to be read"
    return f"{path}, line {line}, column {edge.attributes['column']}"


def _through(graph: Lineage, upload: str) -> list[Branch]:
    """Which interface, on which host, under which login."""
    for _, event in graph.into(upload, "made"):
        via = event.attributes["via"]
        login = f", login {via['os_user']}" if via.get("os_user") else ""
        login += f", {authenticated(via)}"
        known = [via[key] for key in ("interface", "host") if via.get(key)]
        return (
            [Branch(f"daybook {via['version']}, {' on '.join(known)}{login}")] if via.get("version") else []
        )
    return []


def _findings(edge: Edge) -> Branch:
    findings = edge.attributes.get("findings", [])
    branch = Branch("nothing was found in the entry when it was checked")
    if findings:
        branch = Branch(f"{plural(len(findings), 'finding')} about the entry")
    for found in findings:
        where = "" if found["line"] is None else f"line {found['line']}, column {found['column']}: "
        hint = f" {found['hint']}" if found["hint"] else ""
        branch.below.append(Branch(f"{found['severity']}: {where}{found['message']}{hint} [{found['code']}]"))
    return branch


def _steps(graph: Lineage, name: str) -> list[Branch]:
    events = [node for _, node in graph.into(name, "made")] + [node for _, node in graph.out_of(name, "step")]
    events = sorted(
        (node for node in events if node.kind == "event"), key=lambda node: node.attributes["position"]
    )
    width = max((len(str(event.attributes["position"])) for event in events), default=0)
    branches = []
    for event in events:
        requests = [node for _, node in graph.into(event.id, "request")]
        branches.append(Branch(_event(event, width), [Branch(_request(node)) for node in requests]))
    return branches


# --- forward ----------------------------------------------------------------------------------------------


def _standing(graph: Lineage, name: str, *, others: bool = True) -> Iterator[Branch]:
    for _, node in graph.out_of(name, "task"):
        yield Branch(_task(node))
    for edge, node in graph.into(name, "recorded"):
        serial = f", serial {edge.attributes['serial']}" if edge.attributes["serial"] else ""
        yield Branch(
            f"probe {node.label}: {edge.attributes['name']} on disk{serial} ({edge.attributes['matched_by']})"
        )
    for _, node in graph.out_of(name, "clustered"):
        yield Branch(_record(node), _requests_of(graph, node.id))
    for _, node in graph.out_of(name, "stands"):
        below = _requests_of(graph, node.id)
        if others:
            stands_on = [other for _, other in graph.into(node.id, "stands") if other.id != name]
            below += [Branch(f"also on {_record(other)}") for other in stands_on]
        yield Branch(_record(node), below)


def _requests_of(graph: Lineage, name: str) -> list[Branch]:
    return [
        Branch(f"taken by {_request(node)}") for _, node in graph.into(name, "took") if node.kind == "request"
    ]


def _entry(graph: Lineage, edge: Edge, node: Node) -> Branch:
    line = edge.attributes.get("line")
    place = edge.attributes["path"] + ("" if line is None else f", line {line}")
    return Branch(
        f"{place}: {_record(node)}",
        _requests_of(graph, node.id) + list(_standing(graph, node.id, others=False)),
    )


def _replaced(graph: Lineage, root: Node) -> Iterator[Branch]:
    """The chain of corrections, oldest first, each with what stands on it now. A forged chain that leads back to
    itself is followed once around.
    """
    at, chain = root, [root]
    while (before := next((node for _, node in graph.into(at.id, "replaced")), None)) and before not in chain:
        chain.insert(0, at := before)
    at = root
    while (after := next((node for _, node in graph.out_of(at.id, "replaced")), None)) and after not in chain:
        chain.append(at := after)
    for old, new in pairwise(chain):
        below = [] if new.id == root.id else list(_standing(graph, new.id))
        uploads = [
            Branch(f"from {_record(node)}") for _, node in graph.into(new.id, "entry") if new.id != root.id
        ]
        taken = _requests_of(graph, old.id) if old.id != root.id else []
        yield Branch(f"{_record(old)} by {_record(new)}", taken + uploads + below)


def _taken(graph: Lineage, root: Node) -> Iterator[Node]:
    if root.kind == "request":
        for _, event in graph.out_of(root.id, "step"):
            yield from (node for _, node in graph.out_of(event.id, "took"))


def _sourced(graph: Lineage, node: Node) -> Branch:
    """A record with the upload that it came from and the record that replaced it."""
    entries = [
        Branch(f"{edge.attributes['path']} of {_record(upload)}")
        for edge, upload in graph.into(node.id, "entry")
    ]
    replaced = [Branch(f"replaced by {_record(other)}") for _, other in graph.out_of(node.id, "replaced")]
    return Branch(_record(node), entries + replaced)


def _again(graph: Lineage, root: Node) -> list[Branch]:
    edges = [*graph.out_of(root.id, "again"), *graph.into(root.id, "again")]
    branches = []
    for edge, node in edges:
        branch = Branch(f"{edge.attributes['path']} of {_record(node)}")
        if root.kind == "upload":
            branch.text = f"{edge.attributes['path']}: {_record(node)}"
        for found in edge.attributes.get("differences", ()):
            branch.below.append(Branch(f"{found['field']}: stored {found['stored']}, given {found['given']}"))
        branches.append(branch)
    return branches


_SAME = {
    "unchanged": "the entry equals what stood then",
    "changed": "the entry differs from what stood then",
    "new": "the entry was new again",
}


def _same_bytes(graph: Lineage, root: Node) -> Iterator[Branch]:
    own = {root.id, *(node.id for _, node in graph.into(root.id, "entry"))}
    own |= {
        upload.id
        for _, node in graph.into(root.id, "clustered")
        for _, upload in graph.into(node.id, "entry")
    }
    for file in [node for name in own for _, node in graph.into(name, "content")]:
        for _, upload in graph.out_of(file.id, "content"):
            if upload.id in own:
                continue
            branch = Branch(_record(upload))
            same = upload.attributes.get("same_entry")
            if same:
                branch.below.append(Branch(_SAME[same]))
            branch.below += [
                Branch(_record(node)) for _, node in graph.out_of(upload.id, "entry") if node.id != root.id
            ]
            yield branch


# --- single lines -----------------------------------------------------------------------------------------


def _record(node: Node) -> str:
    found = node.attributes
    if node.kind == "session":
        return _joined(node.label, found["session_time"], found["location"], f"of {found['username']}")
    if node.kind == "clustering":
        group = f'group "{found["group_name"]}"' if found["group_name"] else ""
        return _joined(
            node.label, group, f"curator {found['curator']}", found["location"], f"of {found['username']}"
        )
    if node.kind == "upload":
        replay = f"a replay of {found['replays']}" if found["replays"] else ""
        by = f"by {found['username']} {_time(found['received_at'])}"
        return _joined(node.label, found["filename"], replay, by)
    if node.kind == "request":
        decided = (
            f"decided by {found['decided_by']} {_time(found['decided_at'])}" if found["decided_by"] else ""
        )
        return _joined(
            node.label, f"requested by {found['username']} {_time(found['requested_at'])}", decided
        ) + (f": {found['reason']}")
    return node.label


def _task(node: Node) -> str:
    found = node.attributes
    start, stop = found["start_s"], found["stop_s"]
    inferred = " (inferred)" if found["stop_inferred"] else ""
    times = (
        "" if start is None else f"{start:g} s to {'the end' if stop is None else f'{stop:g} s{inferred}'}"
    )
    return _joined(f"task {found['number']} {node.label}", found["arena_apparatus"], times, found["notes"])


def _request(node: Node) -> str:
    return f"{node.label}, requested by {node.attributes['username']}: {node.attributes['reason']}"


def _event(node: Node, width: int = 0) -> str:
    found = node.attributes
    says = f": {found['says']}" if found["says"] else ""
    return f"{found['position']:>{width}}  {_time(found['at'])}  {found['actor']}  {found['type']}{says}"


def _left_out(graph: Lineage, root: Node) -> Iterator[Branch]:
    """Everything that was only counted, and beside which record."""
    for edge in graph.edges.values():
        if edge.kind == "left-out":
            node = graph.nodes[edge.target]
            beside = "" if edge.source == root.id else f"of {edge.source}: "
            counts = node.attributes.get("by_status", {}).items()
            told = ", ".join(f"{count:,} {status}" for status, count in counts)
            yield Branch(f"{beside}{node.label}" + (f" ({told})" if told else ""))


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _time(recorded_at: str | None) -> str:
    return "" if not recorded_at else recorded_at[:19].replace("T", " ") + "Z"
