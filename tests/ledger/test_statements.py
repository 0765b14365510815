"""Text of a table never becomes part of a statement: every place where SQL is put together is listed, and what goes in.

What is put in is a constant of the program (in capitals), marks for values, or stands in ``FROM_THE_PROGRAM`` with the
reason why nothing that is stored, and nothing that anybody typed, can be in it.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.conftest import ROOT

PACKAGES = ("ledger", "projections", "commands")  # migrations are literal, and read no row into a statement
_SQL = re.compile(
    r"\b(SELECT|INSERT INTO|DELETE FROM|CREATE |DROP |ALTER |WHERE|ORDER BY|GROUP BY|COPY |DECLARE |FETCH |LIMIT|UNION|"
    r"EXISTS|VALUES|RETURN|PRAGMA|REVOKE|GRANT |LOCK )|\bUPDATE \w+ SET| (AND|IN|IS|NOT|BETWEEN|LIKE) |^(AND|IN) | = \?|>= \?|<> \?"
)
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")

NAME = "a name of the program's own tables and columns: of a record, or a literal in this function"
SLOT = "one of ledger.head.SLOTS: the head row only chooses between them"
MARKS = "marks for values, as many as there are, or conditions of marks and literals"
CONDITION = (
    "put together in this module of literals with marks, or a statement that is; every caller is in this list"
)
NUMBER = "an int of the program, which Python formats"
QUOTED = "a schema as the server quoted it, or a table of the program in that schema"
IDENTIFIER = (
    "a name that whoever sets up the ledger gave, as an identifier in quotes that are doubled inside of it"
)
NO_SQL = "no statement: words of a sentence, or of a file in another format"

OF_COPIES = "names, types and files of DuckDB's copies, put together by the program; files are in quotes that are doubled inside"

FROM_THE_PROGRAM: dict[str, dict[str, tuple[str, ...]]] = {
    "commands/analysis/engine.py": {
        OF_COPIES: (
            "table",
            "', '.join((f'{_name(name)} {columns[name]}' for name in columns))",
            "_text(file.absolute())",
            "how",
            "values",
        ),
    },
    "commands/analysis/ranges.py": {
        OF_COPIES: ("names", "engine.parquet([file])"),
    },
    "commands/answers/query/archived.py": {
        OF_COPIES: ("', '.join(map(str, SCHEMAS.items()))", "shown", "files", "rows"),
    },
    "commands/accounts/invitations.py": {
        CONDITION: ("where",),
        NAME: (
            "column",
            "table",
        ),
    },
    "commands/accounts/sign_ins.py": {
        SLOT: ("head.live_slot",),
    },
    "commands/answers/jobs.py": {
        CONDITION: ("inside",),
        NAME: ("table",),
    },
    "commands/answers/lineage/lines.py": {
        QUOTED: ("transaction.durable",),
    },
    "commands/answers/log.py": {
        CONDITION: ("sql",),
    },
    "commands/answers/named.py": {
        CONDITION: ("where",),
        NAME: (
            "table",
            "world.state.probes.table",
        ),
    },
    "commands/answers/status.py": {
        CONDITION: (
            "condition",
            "order",
        ),
        NAME: (
            "name",
            "table",
            "world.state.activity.table",
        ),
    },
    "commands/answers/what_if/streams.py": {
        CONDITION: (
            "condition",
            "source",
            "subject",
        ),
        MARKS: ("marks(some)",),
        NAME: (
            "key",
            "table",
        ),
        SLOT: ("slot",),
    },
    "commands/cli/completion_values.py": {
        CONDITION: (
            "also",
            "condition",
        ),
        NAME: ("table",),
        NUMBER: ("most",),
    },
    "commands/cli/verifying.py": {
        NO_SQL: ("text",),
    },
    "commands/door/permission.py": {
        NAME: (
            "activity",
            "world.state.reference.table",
            "world.state.users.table",
        ),
    },
    "commands/intake/duplicates.py": {
        MARKS: ("marks",),
    },
    "commands/intake/looks.py": {
        MARKS: ("marks",),
    },
    "commands/intake/moved.py": {
        NAME: ("world.state.sessions.table",),
    },
    "commands/intake/still_so.py": {
        MARKS: ("marks",),
    },
    "commands/intake/known.py": {
        MARKS: ("marks(some)",),
        NAME: (
            "world.state.groups.table",
            "world.state.times.table",
        ),
    },
    "commands/intake/looking_again.py": {
        NAME: ("world.state.sessions.table",),
    },
    "commands/intake/nested.py": {
        NAME: ("column",),
    },
    "commands/intake/returning.py": {
        NAME: ("world.state.sessions.table",),
    },
    "commands/intake/settling.py": {
        CONDITION: ("condition",),
        NAME: ("table",),
    },
    "commands/intake/unsettled.py": {
        NAME: (
            "table",
            "world.state.clustering_sessions.table",
            "world.state.clusterings.table",
            "world.state.sessions.table",
            "world.state.uploads.table",
        ),
    },
    "commands/intake/working.py": {
        MARKS: ("marks",),
    },
    "commands/mail/notices.py": {
        MARKS: ("marks",),
    },
    "commands/moving/backups.py": {
        NAME: (
            "', '.join(columns)",
            "key",
            "table",
        ),
    },
    "commands/moving/setup.py": {
        IDENTIFIER: ("quoted(schema)",),
    },
    "commands/proving/bundle_verifier.py": {
        NO_SQL: ("text",),
    },
    "commands/requests/changes/insertions.py": {
        NAME: (
            "probes",
            "sessions",
        ),
    },
    "commands/requests/changes/using.py": {
        CONDITION: ("condition",),
        NAME: (
            "number",
            "tables[name].table",
        ),
    },
    "commands/requests/correction/correct.py": {
        MARKS: (
            "deletions",
            "uploads",
        ),
    },
    "commands/requests/correction/matching.py": {
        MARKS: (
            "deletions",
            "marks",
        ),
        NAME: (
            "self.world.state.uploads.table",
            "world.state.sessions.table",
            "world.state.times.table",
        ),
    },
    "commands/requests/impact.py": {
        MARKS: (
            "links",
            "marks",
        ),
        NAME: ("table",),
    },
    "commands/requests/putting_back.py": {
        MARKS: ("marks",),
        NAME: ("table",),
    },
    "commands/requests/redaction.py": {
        NAME: (
            "world.state.clusterings.table",
            "world.state.redactions.table",
            "world.state.uploads.table",
        ),
    },
    "commands/requests/remembering.py": {
        MARKS: ("marks_for(subjects)",),
    },
    "commands/requests/restoration.py": {
        MARKS: ("marks",),
        NAME: ("world.state.clustering_sessions.table",),
    },
    "commands/requests/withdrawal.py": {
        MARKS: (
            "clusterings",
            "links",
            "marks",
        ),
    },
    "commands/samples/openephys.py": {
        NO_SQL: (
            "electrodes",
            "i",
            "part_number",
            "serial",
        ),
    },
    "commands/stored.py": {
        NAME: (
            "column",
            "world.state.sessions.table",
        ),
    },
    "commands/web/working.py": {
        SLOT: ("head.live_slot",),
    },
    "commands/workers/planning.py": {
        CONDITION: ("condition",),
        MARKS: ("marks",),
        NAME: ("table",),
    },
    "ledger/database.py": {
        CONDITION: (
            "how",
            "sql",
        ),
        MARKS: ("', '.join([marks] * rows)",),
        NAME: (
            "', '.join(columns)",
            "table",
        ),
        NUMBER: (
            "page",
            "timeout_ms",
        ),
    },
    "ledger/head.py": {
        NAME: (
            "column",
            "named",
        ),
        QUOTED: ("durable",),
    },
    "ledger/log.py": {
        CONDITION: (
            "' AND '.join(conditions)",
            "condition",
            "where",
        ),
        MARKS: ("marks",),
        QUOTED: ("transaction.durable",),
    },
    "ledger/secrets.py": {
        MARKS: ("condition",),
    },
    "ledger/verify/belongings.py": {
        CONDITION: ("condition",),
    },
    "projections/asked_of_sessions.py": {
        CONDITION: (
            "_standing('row')",
            "_standing(own)",
            "none",
            "of",
            "remarks",
            "standing",
            "text",
            "waits",
            "way.format(slot=slot)",
        ),
        NAME: (
            "own",
            "row",
        ),
        SLOT: ("slot",),
    },
    "projections/audit.py": {
        CONDITION: ("' AND '.join(conditions)",),
        NAME: ("_KEYS[by]",),
        SLOT: ("slot",),
    },
    "projections/changes.py": {
        CONDITION: ("condition",),
        MARKS: (
            "marks(numbers)",
            "marks(some)",
        ),
        NAME: (
            "column",
            "kind",
        ),
        SLOT: ("self._slot",),
    },
    "projections/comparing.py": {
        CONDITION: ("order",),
        NAME: (
            "', '.join(columns.keys())",
            "record.TABLE",
            "setting",
        ),
        SLOT: ("slot",),
    },
    "projections/concerned.py": {
        CONDITION: ("condition",),
        MARKS: (
            "joined",
            "marks(places)",
            "marks(some)",
            "wanted",
        ),
        NAME: (
            "by",
            "column",
            "link",
            "table",
        ),
        SLOT: ("slot",),
    },
    "projections/entries.py": {
        CONDITION: (
            "condition",
            "inside",
            "of_several",
        ),
        MARKS: ("marks(some)",),
        NAME: ("record.TABLE",),
        SLOT: ("slot",),
    },
    "projections/lineage.py": {
        CONDITION: (
            "beyond",
            "where",
        ),
        MARKS: (
            "links",
            "several",
            "shown",
        ),
        NAME: (
            "rows.table",
            "self.state.clusterings.table",
            "self.state.sessions.table",
            "table",
        ),
    },
    "projections/lineage_named.py": {
        NAME: (
            "column",
            "table",
        ),
    },
    "projections/lineage_nodes.py": {
        CONDITION: ("sql",),
    },
    "projections/lineage_requests.py": {
        CONDITION: ("is_open",),
        NAME: (
            "kind",
            "table",
        ),
    },
    "projections/listings.py": {
        CONDITION: ("where",),
        SLOT: ("slot",),
    },
    "projections/pages.py": {
        CONDITION: (
            "order",
            "where",
        ),
        MARKS: ("marks(some)",),
        NAME: (
            "columns",
            "table",
        ),
        SLOT: ("self._slot",),
    },
    "projections/pages_then.py": {
        CONDITION: (
            "' AND '.join(conditions)",
            "' UNION ALL '.join((text for text, _ in parts))",
            "found",
            "listed",
            "self._order",
        ),
        MARKS: ("marks(some)",),
        NAME: (
            "column",
            "record.TABLE",
            "table",
        ),
        SLOT: ("self._slot",),
    },
    "projections/past.py": {
        CONDITION: (
            "links",
            "listed",
            "own",
            "subjects",
        ),
        MARKS: (
            "marks(chosen)",
            "marks(names)",
            "marks(some)",
        ),
        SLOT: ("self._slot",),
    },
    "projections/queries.py": {
        MARKS: ("marks(subjects)",),
        NAME: (
            "listed.time",
            "listed.user",
        ),
    },
    "projections/rebuild.py": {
        CONDITION: (
            "'NOT ' if self.others else ''",
            "order",
        ),
        MARKS: ("marks",),
        NAME: (
            "record.TABLE",
            "table",
        ),
        SLOT: (
            "SLOTS[1 - SLOTS.index(head.live_slot)]",
            "slot",
        ),
    },
    "projections/references.py": {
        CONDITION: ("condition",),
        NAME: ("_RECORDS[kind].TABLE",),
        SLOT: ("slot",),
    },
    "projections/refolding.py": {
        CONDITION: (
            "condition",
            "inside",
            "listed",
            "of",
            "of_several",
            "same",
            "where",
        ),
        MARKS: ("marks(some)",),
        NAME: (
            "Session.TABLE",
            "alias",
            "column",
            "owner",
            "record.TABLE",
        ),
        QUOTED: ("table",),
        SLOT: ("self.slot",),
    },
    "projections/rows.py": {
        CONDITION: (
            "condition",
            "inside",
            "where",
        ),
        MARKS: ("equal",),
        NAME: (
            "', '.join(self._layout.key_columns)",
            "', '.join(self.columns)",
            "assignments",
            "column",
            "last",
            "self._layout.select",
            "self.select",
            "self.table",
        ),
    },
    "projections/shadows.py": {
        CONDITION: ("still_so",),
        NAME: (
            "', '.join(columns)",
            "', '.join(typed)",
            "name",
            "selected",
        ),
        QUOTED: (
            "durable",
            "rows",
            "self._durable",
        ),
    },
    "projections/uses.py": {
        NAME: (
            "column",
            "of",
        ),
    },
}


@cache
def places() -> list[tuple[str, str, int]]:
    """The file, what is put into a statement there, and the line."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.unparse(put_in), node.lineno)  # type: ignore[attr-defined]
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for put_in in _put_into_sql(node)
    ]


def _put_into_sql(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.JoinedStr):
        text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
        if _SQL.search(text):
            yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = (node.left, node.right)
        if any(
            isinstance(side, ast.Constant) and isinstance(side.value, str) and _SQL.search(side.value)
            for side in sides
        ):
            yield from (side for side in sides if not isinstance(side, ast.Constant | ast.JoinedStr))
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "replace")
    ):
        of = node.func.value
        if isinstance(of, ast.Constant) and isinstance(of.value, str) and _SQL.search(of.value):
            yield from (*node.args, *(keyword.value for keyword in node.keywords))


def is_constant(text: str) -> bool:
    """Marks for values, or made of nothing but constants in capitals."""
    if re.fullmatch(r"', '\.join\('\?' \* (len\(.+\)|[0-9]+)\)", text):
        return True
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    bound = {
        target.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.comprehension) and isinstance(target := node.target, ast.Name)
    }
    return bool(names) and all(_CONSTANT.fullmatch(name) for name in names - bound)


def test_whatever_goes_into_a_statement_is_a_constant_or_has_its_reason_here() -> None:
    unknown = [
        f"{file}:{line}: {text}"
        for file, text, line in places()
        if not is_constant(text) and text not in _listed(file)
    ]
    assert unknown == []


def test_no_reason_is_left_of_what_is_gone() -> None:
    found = {(file, text) for file, text, _ in places()}
    listed = {(file, text) for file in FROM_THE_PROGRAM for text in _listed(file)}
    assert listed <= found


def _listed(file: str) -> set[str]:
    return {text for texts in FROM_THE_PROGRAM.get(file, {}).values() for text in texts}


def test_a_statement_with_something_else_in_it_is_seen() -> None:
    """So that this list can be believed itself."""
    for source in (
        'run(f"SELECT {name} FROM events")', 'run("SELECT * FROM " + table)', 'run("DELETE FROM %s" % table)',
        'run("SELECT * FROM {}".format(table))', 'sql = f"id = 1 AND {condition}"',
    ):  # fmt: skip
        found = [ast.unparse(each) for node in ast.walk(ast.parse(source)) for each in _put_into_sql(node)]
        assert len(found) == 1 and not is_constant(found[0]), source
