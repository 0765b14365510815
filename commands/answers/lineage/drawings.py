"""A lineage as a drawing: the language of Graphviz (DOT) and that of Mermaid. Pure functions of the graph.

Both draw records as boxes, events as ellipses, people and files in shapes of their own, and label the edges; the
programs that people used are left to the other formats. Whatever users wrote stands only inside quoted labels, with
every special character escaped.
"""

from collections.abc import Iterator

from projections.graph import Edge, Lineage, Node

_LONGEST = 80  # characters of one line in a box
_DETAILS = {
    "session": ("subject", "session_time", "location", "username"),
    "clustering": ("group_name", "curator", "curation_time", "location", "username"),
    "upload": ("filename", "username", "received_at"),
    "request": ("reason", "username", "decided_by"),
    "file": ("sha256", "size_bytes", "bytes"),
    "sessions-txt": ("sha256", "rows"),
    "task": ("arena_apparatus", "start_s", "stop_s"),
    "event": ("at", "says"),
}
_SHAPES = {"event": "ellipse", "user": "house", "file": "note", "left-out": "plaintext"}
_FILLS = {
    "session": "#dbe9f6", "clustering": "#dff0d8", "upload": "#fcf3cf", "request": "#f6dcdc", "file": "#eeeeee",
    "sessions-txt": "#eeeeee", "user": "#fbe5d0", "event": "#ffffff",
}  # fmt: skip
_DASHED = ("step", "did", "asks")
_GONE = ("deleted", "withdrawn", "error")


def _drawn(graph: Lineage) -> tuple[list[Node], list[Edge]]:
    nodes = [node for node in graph.nodes.values() if node.kind != "program"]
    return nodes, [edge for edge in graph.edges.values() if edge.kind != "ran"]


def _lines(node: Node) -> Iterator[str]:
    """The text of a node, one fact a line."""
    yield _short(
        f"{node.label} ({node.attributes['group_name']})" if node.attributes.get("group_name") else node.label
    )
    for name in _DETAILS.get(node.kind, ()):
        value = node.attributes.get(name)
        if value not in (None, "") and name != "group_name":
            yield _short(f"{name}: {value}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _edge_label(edge: Edge) -> str:
    path, line = edge.attributes.get("path"), edge.attributes.get("line")
    if path is None:
        return edge.kind
    return f"{edge.kind} {path}" + ("" if line is None else f", line {line}")


# --- Graphviz -----------------------------------------------------------------------------------------------


def dot(graph: Lineage) -> str:
    """A directed graph in DOT (https://graphviz.org/doc/info/lang.html), in UTF-8."""
    nodes, edges = _drawn(graph)
    lines = [
        f"digraph {_dot_text(graph.ref)} {{",
        '  charset="UTF-8";',
        "  rankdir=LR;",
        '  node [shape=box, style="filled,rounded", fillcolor="#ffffff", fontname="sans-serif", fontsize=10];',
        '  edge [fontname="sans-serif", fontsize=9, color="#555555"];',
    ]
    lines += [f"  {_dot_text(node.id)} [{_dot_attributes(graph, node)}];" for node in nodes]
    for edge in edges:
        dashed = ", style=dashed" if edge.kind in _DASHED else ""
        label = _dot_label([_edge_label(edge)])
        lines.append(f"  {_dot_text(edge.source)} -> {_dot_text(edge.target)} [label={label}{dashed}];")
    return "\n".join([*lines, "}", ""])


def _dot_attributes(graph: Lineage, node: Node) -> str:
    attributes = [f"label={_dot_label(list(_lines(node)))}"]
    if node.kind in _SHAPES:
        attributes.append(f"shape={_SHAPES[node.kind]}")
    if node.kind in _FILLS:
        attributes.append(f'fillcolor="{_FILLS[node.kind]}"')
    if node.attributes.get("status") in _GONE:
        attributes.append('style="filled,dashed"')
    if node.id == graph.ref:
        attributes.append("penwidth=3")
    return ", ".join(attributes)


def _dot_text(text: str) -> str:
    """A quoted ID: only the quote is escaped in it, and a backslash at its end would escape the closing one."""
    return f'"{_dot_escaped(text)}"'


def _dot_label(lines: list[str]) -> str:
    r"""A label: an escString, where \n breaks the line and a backslash of the text is doubled."""
    return '"' + "\\n".join(_dot_escaped(line) for line in lines) + '"'


def _dot_escaped(text: str) -> str:
    # &amp; because labels know the entities of HTML; control characters and newlines would end a line of the file
    shown = "".join(c if c.isprintable() else "�" for c in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


# --- Mermaid ------------------------------------------------------------------------------------------------

_MERMAID_SHAPES = {"event": ("([", "])"), "user": ("{{", "}}"), "file": ("[(", ")]")}
_MERMAID_PLAIN = frozenset(" ,.-+/:()'_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def mermaid(graph: Lineage) -> str:
    """A flowchart (https://mermaid.js.org/syntax/flowchart.html). Its nodes are n0, n1, …: none can be a keyword."""
    nodes, edges = _drawn(graph)
    names = {node.id: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        left, right = _MERMAID_SHAPES.get(node.kind, ("[", "]"))
        label = "<br/>".join(_mermaid_text(line) for line in _lines(node))
        lines.append(f'  {names[node.id]}{left}"{label}"{right}')
    for edge in edges:
        arrow = "-.->" if edge.kind in _DASHED else "-->"
        label = _mermaid_text(_edge_label(edge))
        lines.append(f'  {names[edge.source]} {arrow}|"{label}"| {names[edge.target]}')
    for kind, fill in _FILLS.items():
        members = [names[node.id] for node in nodes if node.kind == kind]
        if members:
            style = kind.replace("-", "_")
            lines += [
                f"  classDef {style} fill:{fill},stroke:#555555,color:#111111",
                f"  class {','.join(members)} {style}",
            ]
    lines.append(f"  style {names[graph.ref]} stroke-width:3px")
    return "\n".join([*lines, ""])


def _mermaid_text(text: str) -> str:
    """Every character that could mean something to Mermaid, Markdown or HTML, as its entity code: #35; for #."""
    coded = "".join(map(_mermaid_character, text))
    # Mermaid takes the last semicolon off a line that looks like one of its own directives
    return coded.replace("style", "#115;tyle").replace("classDef", "#99;lassDef")


def _mermaid_character(character: str) -> str:
    if character in _MERMAID_PLAIN or (character > "\x7f" and character.isprintable()):
        return character
    return f"#{ord(character)};" if character.isprintable() else "�"
