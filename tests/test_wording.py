"""Every sentence agrees with its numbers: what is counted goes through ``plural``, and each noun has its three forms."""

import ast
import re
from collections.abc import Iterator

from ledger.plurals import plural
from tests.conftest import ROOT

FOLDERS = ("ledger", "projections", "commands", "migrations")
# 0, 1 and 2 of each noun that a message counts: a new one is added here, and read aloud.
FORMS = {
    noun: (f"0 {several}", f"1 {noun}", f"2 {several}")
    for noun, several in {
        "account": "accounts",
        "backup": "backups",
        "character": "characters",
        "clustering": "clusterings",
        "day": "days",
        "entry": "entries",
        "error": "errors",
        "dead letter": "dead letters",
        "failure": "failures",
        "message": "messages",
        "webhook": "webhooks",
        "event": "events",
        "fact": "facts",
        "file": "files",
        "finding": "findings",
        "input file": "input files",
        "mail": "mails",
        "item": "items",
        "more finding": "more findings",
        "more line": "more lines",
        "more task": "more tasks",
        "multi-session clustering": "multi-session clusterings",
        "new entry": "new entries",
        "notice": "notices",
        "payload": "payloads",
        "probe": "probes",
        "probe insertion": "probe insertions",
        "problem": "problems",
        "record": "records",
        "row": "rows",
        "session": "sessions",
        "task": "tasks",
        "thing": "things",
        "time": "times",
    }.items()
}
COUNTED = re.compile(
    rf"^ ({'|'.join(several.split()[-1] for _, _, several in FORMS.values())}|times|hashes|leaves)\b"
)
NUMBER = re.compile(r"len\(|\bsize\b|count|total|number|\bsum\(")
# What can only be several, or goes by its own rule for one.
RIGHT_AS_IT_IS = {
    "ledger/merkle.py": "hashes and leaves of trees that do not fit, told to programmers",
    "ledger/checkpoint.py": "signatures at their limit of 16",
    "commands/proving/bundle_verifier.py": "a script of its own, which imports nothing",
    "commands/answers/why.py": "one new entry has a sentence of its own",
    "commands/answers/log.py": "a limit",
    "commands/inputfile/text_fields.py": "longer than a limit",
    "commands/recordings/plausible.py": "longer than a limit",
    "commands/recordings/disk_problems.py": "a limit",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def nouns() -> dict[str, str]:
    """Every noun that is given to ``plural``, and where."""
    found = {}
    for name, tree in modules():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)):
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called == "plural" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
                found[str(node.args[1].value)] = f"{name}:{node.lineno}"
    return found


def test_every_noun_that_is_counted_has_its_three_forms() -> None:
    assert {noun: (plural(0, noun), plural(1, noun), plural(2, noun)) for noun in nouns()} == FORMS


def test_a_thousand_has_its_comma() -> None:
    assert plural(1_000, "entry") == "1,000 entries"


def test_no_message_counts_past_plural() -> None:
    found = []
    for name, tree in modules():
        if name in RIGHT_AS_IT_IS:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            for value, text in zip(node.values, node.values[1:], strict=False):
                if not (isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant)):
                    continue
                noun = COUNTED.match(str(text.value))
                if not noun:
                    continue
                number = ast.unparse(value.value)
                format_ = ast.unparse(value.format_spec) if value.format_spec is not None else ""
                is_limit = number.strip("_").isupper()
                if "plural" not in number and not is_limit and (NUMBER.search(number) or "," in format_):
                    found.append(f"{name}:{node.lineno}: {{{number}}}{text.value}")

    assert found == []
