"""Strict readers of the two drawing languages, as far as a lineage uses them. Raise ValueError for anything else."""

import re
from dataclasses import dataclass, field

_QUOTED = r'"(?:[^"\\\n]|\\.)*"'
_ATTRIBUTE = re.compile(rf"(\w+)=({_QUOTED}|[\w.]+)")
_DOT_NODE = re.compile(rf"  ({_QUOTED}) \[(.*)\];")
_DOT_EDGE = re.compile(rf"  ({_QUOTED}) -> ({_QUOTED}) \[(.*)\];")
_DOT_DEFAULT = re.compile(r"  (?:node|edge) \[(.*)\];|  \w+=(?:\w+|\"UTF-8\");")


@dataclass
class Drawing:
    """``nodes`` have the lines of their labels; ``edges`` are (from, to, label)."""

    nodes: dict[str, list[str]] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)


def read_dot(text: str) -> Drawing:
    """By https://graphviz.org/doc/info/lang.html; labels are escStrings, in which entities of HTML are read."""
    lines = text.splitlines()
    if not re.fullmatch(rf"digraph {_QUOTED} {{", lines[0]) or lines[-1] != "}" or not text.endswith("}\n"):
        raise ValueError(f"no digraph: {lines[0]!r} … {lines[-1]!r}")
    drawing = Drawing()
    for line in lines[1:-1]:
        if _DOT_DEFAULT.fullmatch(line):
            continue
        edge, node = _DOT_EDGE.fullmatch(line), _DOT_NODE.fullmatch(line)
        if edge is not None:
            (label,) = _dot_label(_attributes(edge[3])["label"])
            drawing.edges.append((_dot_id(edge[1]), _dot_id(edge[2]), label))
        elif node is not None:
            drawing.nodes[_dot_id(node[1])] = _dot_label(_attributes(node[2])["label"])
        else:
            raise ValueError(f"not DOT: {line!r}")
    return drawing


def _attributes(text: str) -> dict[str, str]:
    found, at = {}, 0
    while at < len(text):
        attribute = _ATTRIBUTE.match(text, at)
        if attribute is None:
            raise ValueError(f"no attribute at {text[at:]!r}")
        found[attribute[1]] = attribute[2]
        at = attribute.end()
        if at < len(text):
            if text[at : at + 2] != ", ":
                raise ValueError(f"no comma at {text[at:]!r}")
            at += 2
    return found


def _dot_id(quoted: str) -> str:
    """In an ID only the quote is escaped; two of ours differ where their escaped texts do."""
    return quoted[1:-1]


def _dot_label(quoted: str) -> list[str]:
    lines = [""]
    for part in re.findall(r"\\.|[^\\]", quoted[1:-1]):
        if part == "\\n":
            lines.append("")
        elif part in ('\\"', "\\\\"):
            lines[-1] += part[1]
        elif part.startswith("\\"):
            raise ValueError(f"{part} means something else in a label: {quoted}")
        else:
            lines[-1] += part
    if any(re.search(r"&(?!amp;)", line) for line in lines):
        raise ValueError(f"a bare & in {quoted}")
    return [line.replace("&amp;", "&") for line in lines]


_SHAPE = re.compile(r'  (n\d+)(?:\["(.*)"\]|\(\["(.*)"\]\)|\{\{"(.*)"\}\}|\[\("(.*)"\)\])')
_ARROW = re.compile(r'  (n\d+) (?:-->|-\.->)\|"(.*)"\| (n\d+)')
_STYLE = re.compile(
    r"  classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}|  class n\d+(?:,n\d+)* \w+|  style n\d+ stroke-width:3px"
)


def read_mermaid(text: str) -> Drawing:
    """By https://mermaid.js.org/syntax/flowchart.html; entity codes are read, anything else in a label is refused."""
    lines = text.splitlines()
    if lines[0] != "flowchart LR" or not text.endswith("\n"):
        raise ValueError(f"no flowchart: {lines[0]!r}")
    drawing = Drawing()
    for line in lines[1:]:
        shape, arrow = _SHAPE.fullmatch(line), _ARROW.fullmatch(line)
        if arrow is not None:
            drawing.edges.append((arrow[1], arrow[3], _mermaid_label(arrow[2])))
        elif shape is not None:
            label = next(group for group in shape.groups()[1:] if group is not None)
            drawing.nodes[shape[1]] = [_mermaid_label(one) for one in label.split("<br/>")]
        elif not _STYLE.fullmatch(line):
            raise ValueError(f"not Mermaid: {line!r}")
    return drawing


def _mermaid_label(text: str) -> str:
    without = re.sub(r"#\d+;", "", text)
    if re.search(r"[\"#;<>&`|{}\[\]\\*~$%^=!?@]", without) or "style" in text or "classDef" in text:
        raise ValueError(f"a character that means something: {text!r}")
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)
