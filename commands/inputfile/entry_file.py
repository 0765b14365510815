"""An input file with only some entries: one of another file, to be corrected alone, or what a form was filled in with.
Pure; writes what the format reads.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import yaml

from commands.inputfile.canonical import entry_plain
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file


def entry_file(
    data: bytes, kind: Literal["sessions", "clustering"], index: int, *, filename: str, limits: Limits
) -> str | None:
    """The file with this entry alone. None where there is none, or it cannot be read."""
    found = read_input_file(data, filename=filename, limits=limits).input_file
    if found is None:
        return None
    entries: Sequence[Any] = found.sessions if kind == "sessions" else found.clustering
    alone = [entry_plain(each) for each in entries if each.index == index]
    if not alone:
        return None
    return written(found.subject.name, **{kind: alone})


def written(
    subject: str, *, sessions: Sequence[Mapping[str, Any]] = (), clustering: Sequence[Mapping[str, Any]] = ()
) -> str:
    document: dict[str, Any] = {"subject": {"name": subject}, "sessions": list(sessions)}
    if clustering:
        document["clustering"] = list(clustering)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
