"""Judge a statement before it is run: one SELECT, over the named views, with nothing that reaches outside of them.

DuckDB takes the text apart; here its syntax tree is looked at. What is not known here is refused, so that what a newer
DuckDB can do as well is not open by itself: its SELECT can copy, insert and read files.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from commands.analysis.engine import Engine, EngineError
from commands.answers.query.views import VIEWS
from commands.inputfile.nearest import did_you_mean
from ledger.errors import Refusal

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_FROM = frozenset(
    {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
)
_PARTS = frozenset(
    {
        "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER",
        "ASCENDING", "DESCENDING", "ORDER_DEFAULT",
    }
)  # fmt: skip
_TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "repeat", "unnest"})
_OF_THE_ENGINE = frozenset(
    {
        "current_query", "current_setting", "currval", "getenv", "getvariable", "json_execute_serialized_sql",
        "json_serialize_plan", "nextval", "setval", "sleep_ms", "write_log",
    }
)  # fmt: skip
"""Functions that tell of the engine, or do something to it."""
_HOW = "A query is one SELECT; it may begin with WITH, FROM, VALUES, DESCRIBE or SUMMARIZE."
_THERE = f"The views are: {', '.join(VIEWS)}."


@dataclass(frozen=True, slots=True)
class Statement:
    """``views`` are those that it may read, in the order of all of them."""

    sql: str
    views: tuple[str, ...]


def judged(engine: Engine, sql: str) -> Statement:
    """Raises Refusal."""
    try:
        kinds = engine.statements(sql)
        if len(kinds) != 1:
            found = "There is no statement." if not kinds else f"There are {len(kinds)} statements."
            raise Refusal("not-a-query", found, _HOW)
        if kinds != ["SELECT"]:
            raise Refusal("not-a-query", f"{_named(kinds[0])} is not taken: a query only reads.", _HOW)
        tree = orjson.loads(engine.run("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()[0])
    except EngineError as error:
        raise refusal_of(error, sql) from error
    except orjson.JSONDecodeError as error:  # deeper than anybody writes
        raise Refusal("not-a-query", "The statement is nested too deeply.", _HOW) from error
    if tree.get("error"):
        raise Refusal("not-a-query", "This kind of statement is not taken: a query only reads.", _HOW)
    return Statement(sql, _views_of(tree["statements"][0], sql))


def _named(kind: str) -> str:
    return {"MULTI": "PIVOT by itself", "LOAD": "INSTALL or LOAD", "TRANSACTION": "A transaction"}.get(
        kind, kind
    )


def _views_of(tree: Any, sql: str) -> tuple[str, ...]:
    nodes = list(_all(tree))
    own = {entry["key"].casefold() for node in nodes for entry in _with(node)}
    used = set()
    for node in nodes:
        kind = node.get("type")
        if not isinstance(kind, str):
            continue
        if "class" in node:
            _judge_expression(node, sql)
        elif kind not in _NODES | _FROM | _PARTS and not (kind == "" or "id" in node):
            raise Refusal("not-a-query", f"{kind} is not taken: a query only reads.", _HOW)
        elif kind == "BASE_TABLE":
            used.add(_table(node, own, sql))
        elif kind == "TABLE_FUNCTION":
            _judge_function(node["function"], _TABLE_FUNCTIONS, node, sql)
        elif kind == "SHOW_REF" and node.get("query") is None:
            raise Refusal("not-a-query", "Tables are not shown so.", _THERE)
    return tuple(name for name in VIEWS if name in used)


def _all(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every node of the tree. Not by recursion, which would end before a statement does."""
    left = [tree]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left += each.values()
        elif isinstance(each, list):
            left += each


def _with(node: Mapping[str, Any]) -> list[Any]:
    found = node.get("cte_map")
    return found["map"] if isinstance(found, dict) else []


def _table(node: Mapping[str, Any], own: Collection[str], sql: str) -> str:
    """The view that is named; empty for what the statement itself names by WITH."""
    name = str(node["table_name"])
    if node.get("schema_name") or node.get("catalog_name"):
        whole = ".".join(part for part in (node.get("catalog_name"), node.get("schema_name"), name) if part)
        raise _refused("no-such-view", f'There is no "{whole}"', _THERE, node, sql)
    if name.casefold() in VIEWS:
        return name.casefold()
    if name.casefold() in own:
        return ""
    raise _refused(
        "no-such-view", f'There is no view "{name}"', did_you_mean(name, VIEWS) or _THERE, node, sql
    )


def _judge_expression(node: Mapping[str, Any], sql: str) -> None:
    if node["class"] == "PARAMETER":
        raise _refused(
            "not-a-query", "There is no value for a parameter", "Write the value itself.", node, sql
        )
    if node["class"] == "FUNCTION":
        name = str(node["function_name"]).casefold()
        if name in _OF_THE_ENGINE:
            raise _refused(
                "not-a-query", f"The function {name} is not taken", "A query only reads views.", node, sql
            )


def _judge_function(
    function: Mapping[str, Any], allowed: Collection[str], node: Mapping[str, Any], sql: str
) -> None:
    name = str(function["function_name"]).casefold()
    if name not in allowed:
        hint = f"A query reads the views, and of functions in FROM: {', '.join(sorted(allowed))}."
        raise _refused("not-a-query", f"The function {name} is not taken in FROM", hint, node, sql)


# --- what is said of it -----------------------------------------------------------------------------------------------


def _refused(code: str, message: str, hint: str, node: Mapping[str, Any], sql: str) -> Refusal:
    return Refusal(code, f"{_where(node.get('query_location'), sql)}{message}.", hint)


def refusal_of(error: EngineError, sql: str) -> Refusal:
    """What DuckDB found wrong with a statement, in plain words: where, what, and what was meant perhaps."""
    about, where = error.about, _where(error.about.get("position"), sql)
    message = error.message.partition("\n")[0]
    name = str(about.get("name", ""))
    hint = ""
    if about.get("error_subtype") == "COLUMN_NOT_FOUND":
        known = [column for view in VIEWS.values() for column in view.columns]
        candidates = [each for each in str(about.get("candidates", "")).split(",") if each]
        message = f'There is no column "{name}" in what is selected from'
        hint = did_you_mean(name, candidates) or did_you_mean(name, known)
    elif about.get("error_subtype") == "MISSING_ENTRY":
        message = f'There is no {str(about.get("type", "function")).casefold()} "{name}"'
        candidates = [each for each in str(about.get("candidates", "")).split(",") if each]
        hint = f'Did you mean "{candidates[0]}"?' if candidates else ""
    elif error.kind in _TOO_MUCH:
        return Refusal(
            "query-too-large", f"The query needs more room than there is: {message.rstrip('.')}.",
            "Select fewer rows or columns, or count instead of listing.",
        )  # fmt: skip
    text = message.rstrip(".!")
    return Refusal("bad-sql", f"{where}{text[:1].upper()}{text[1:]}.", hint)


_TOO_MUCH = ("Out of Memory", "IO")


def _where(position: Any, sql: str) -> str:
    """``line 1, column 8: ``, of a number of bytes; empty where it is none."""
    try:
        before = sql.encode()[: int(position)].decode(errors="ignore")
    except (TypeError, ValueError):
        return ""
    if int(position) > len(sql.encode()):
        return ""
    line = before.count("\n")
    return f"Line {line + 1}, column {len(before) - (before.rfind(chr(10)) + 1) + 1}: "
