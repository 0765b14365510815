"""Where the entries of a lineage stand in their input file: line and column, from the stored bytes."""

from commands.inputfile.read import read_input_file
from ledger import input_files, log
from ledger.database import Transaction
from ledger.errors import IntegrityFailure
from projections.graph import Edge, Lineage, Node


def add_lines(transaction: Transaction, graph: Lineage) -> None:
    """Give every entry of the upload that was looked at its ``line`` and ``column``, as far as its file is there.

    The file's node says under ``bytes`` whether they are: kept, erased (by a redaction), missing or changed.
    """
    entries = [edge for edge in graph.edges.values() if edge.kind == "entry" and _is_looked_at(graph, edge)]
    source = next((edge.source for edge in entries), graph.ref)
    for _, file in list(graph.into(source, "content")):
        content = _content(transaction, file)
        if content is None:
            continue
        read = read_input_file(content, filename=str(graph.nodes[source].attributes["filename"]))
        for edge in entries:
            line, column = read.position(edge.attributes["path"]) or (None, None)
            edge.attributes.update(line=line, column=column)


def _is_looked_at(graph: Lineage, edge: Edge) -> bool:
    return "findings" in edge.attributes or edge.source == graph.ref


def _content(transaction: Transaction, file: Node) -> bytes | None:
    digest = file.attributes["sha256"]
    try:
        content = input_files.fetch(transaction, digest)
    except IntegrityFailure as failure:
        erased = log.read_stream(transaction, f"input-file/{digest}")
        if erased:
            file.attributes.update(
                bytes="erased", erased_by=erased[-1].actor, erased_at=erased[-1].recorded_at
            )
        else:
            file.attributes["bytes"] = "changed" if failure.code == "bytes-changed" else "missing"
        return None
    file.attributes["bytes"] = "kept"
    return content
