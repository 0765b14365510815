"""Every action that the source advises, and where: read from the source, so that a new one is found by itself."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from commands.answers.help_topics import topics
from tests.conftest import ROOT

FOLDERS = ("ledger", "projections", "commands", "daybook")
TOLD_ELSEWHERE = {
    "commands/answers/help_topics.py": "the topics are read below",
    "commands/cli/accounts.py": "reset-password and reset-second-factor: which of the two was made",
    "commands/inputfile/findings.py": "as it was stored",
    "commands/remote/problems.py": "as the server said it",
}
"""Where the action is no word of that place, and why none is missed."""


@cache
def advised() -> dict[str, frozenset[str]]:
    """Each action with the modules that advise it, and the help topics."""
    found: dict[str, set[str]] = {}
    for action, where in _in_source():
        found.setdefault(action, set()).add(where)
    for topic in topics():
        for step in topic.next_steps:
            found.setdefault(step.action, set()).add(f"help: {topic.id}")
    return {action: frozenset(where) for action, where in found.items()}


def _in_source() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NextStep":
                    for action in _actions(node, path):
                        yield action, name


def _actions(node: ast.Call, path: Path) -> list[str]:
    """Of one next step: a text, a name of the module that stands for one, or a table of it."""
    name = path.relative_to(ROOT).as_posix()
    if name in TOLD_ELSEWHERE:
        return []
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    first = node.args[0]
    if isinstance(first, ast.Constant):
        return [str(first.value)]
    if isinstance(first, ast.Name) and isinstance(getattr(module, first.id, None), str):
        return [getattr(module, first.id)]
    tables = [
        value
        for each in ast.walk(first)
        if isinstance(each, ast.Name) and isinstance(value := getattr(module, each.id, None), dict)
    ]
    assert tables, f"{name}:{node.lineno}: which action is it? {ast.unparse(node)}"
    return [value if isinstance(value, str) else value[0] for table in tables for value in table.values()]
