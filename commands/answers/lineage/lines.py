"""Where the entries of a lineage stand in their input file: line and column, from the stored bytes."""

from commands.inputfile.read import read_input_file
from ledger import input_files
from ledger.database import Transaction
from ledger.errors import Refusal
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
    except Refusal as refusal:
        # from the log itself: what is gone now is gone from the past too
        erased = transaction.run(
            f"SELECT actor, recorded_at FROM {transaction.durable}events WHERE stream = ? ORDER BY stream_version DESC",
            (f"input-file/{digest}",),
        ).fetchone()
        if erased is not None:
            file.attributes.update(bytes="erased", erased_by=erased[0], erased_at=erased[1])
        else:
            file.attributes["bytes"] = "changed" if refusal.code == "bytes-changed" else "missing"
        return None
    file.attributes["bytes"] = "kept"
    return content
