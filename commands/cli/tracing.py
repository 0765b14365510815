"""The verb ``trace``: a record's lineage. It appends no event."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.drafts import WrittenFile
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import printable
from commands.cli.targets import write_new
from commands.cli.times import as_of_option
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.trace import Trace

LIMIT = 100
MOST = 1_000_000


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "dot", "mermaid", "prov")),
    help="text, unless said; a drawing for Graphviz (dot) or Mermaid; W3C PROV-JSON (prov).",
)
@click.option(
    "--limit",
    type=click.IntRange(0, MOST),
    default=LIMIT,
    show_default=True,
    metavar="N",
    help="At most N of a kind beside a record (of uploads of the same bytes N/10), the rest counted; 0 for all.",
)
@click.option(
    "-o", "--output", "target", metavar="FILE", help="Write it to a new file instead of printing it."
)
@as_of_option
@pass_invocation
def trace(
    invocation: Invocation,
    reference: str,
    form: str | None,
    limit: int,
    target: str | None,
    as_of: int | str | None,
) -> None:
    """From a record back to its file, and forward to what stands on it.

    Back to the input file, the line of the entry in it, who uploaded it, when and through what, and what was found in
    it; then what became of it, step by step; and forward to its tasks, probes and clusterings, what replaced it, the
    requests that took it or would, and the uploads that brought it again. Of uploads that brought it again unchanged
    only those of the same bytes are named: of the others the log keeps which entries were unchanged, not which records.

    REF is an id (s12, c34, u56, d78), a location, a session time, a group name; or subject:NAME, probe:NAME, user:NAME.
    """
    if invocation.json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other.")
    form = form or ("json" if invocation.json else "text")
    found = invocation.ask("trace", as_of=as_of, ref=reference, limit=limit)
    if form == "json" and target is None:
        output.write_answer(found, {})
        return
    text = _written(found, form)
    if target is None:
        output.say(text if form == "text" else text.encode(), nl=False)
        return
    write_new(Path(target), text)
    invocation.answer(WrittenFile(file=target), lambda: output.say(f"Wrote {printable(target)}."))


def _written(found: "Trace", form: str) -> str:
    from commands.answers.document import json_pieces
    from commands.answers.trace import graph_of

    if form == "json":
        return b"".join(json_pieces(found, {"ok": True})).decode()
    graph = graph_of(found)
    if form == "text":
        from commands.cli.lineage_tree import text_lines

        return "".join(f"{printable(line)}\n" for line in text_lines(graph))
    if form == "prov":
        from commands.answers.document import json_text
        from commands.answers.lineage.prov import prov_json

        return json_text(prov_json(graph)).decode() + "\n"
    from commands.answers.lineage.drawings import dot, mermaid

    return dot(graph) if form == "dot" else mermaid(graph)
