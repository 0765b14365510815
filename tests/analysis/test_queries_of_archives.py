"""A query reads the log from an archive as far as it holds, and answers as it does without."""

from typing import Any

import pytest

from commands.answers.query.asking import QueryAnswer, query
from ledger import bodies
from tests.analysis.conftest import Archive, upload

LOG = "FROM events ORDER BY position"


@pytest.fixture
def filled(archive: Archive) -> Archive:
    for number in range(8):
        upload(archive.office, f"{number}.yml")
    archive.office.redact(upload(archive.office, "Jane.yml"))
    for number in range(8):
        upload(archive.office, f"{number}.yml")
    archive.create()
    return archive


def asked(archive: Archive, sql: str = LOG, *, read: bool = True) -> tuple[QueryAnswer, list[dict[str, Any]]]:
    with archive.office.lab.daybook.reading() as world:
        found = query(world, sql, archive=archive.folder if read else None)
    return found, list(found.rows)


def test_with_an_archive_the_answer_is_the_same(filled: Archive) -> None:
    without, rows = asked(filled, read=False)

    found, archived = asked(filled)

    assert archived == rows
    assert (found.columns, found.views) == (without.columns, without.views)
    assert found.archived == filled.create().archived_to and found.unfit == []
    assert without.archived == 0


def test_what_has_an_older_version_in_a_file_is_in_the_newest_in_the_answer(
    filled: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "InputFileReceived"
    newest = bodies.SCHEMAS[kind] + 1
    monkeypatch.setitem(bodies.SCHEMAS, kind, newest)
    monkeypatch.setitem(bodies.UPCASTS, (kind, newest - 1), lambda body: body | {"new": 1})
    monkeypatch.setattr(
        "commands.answers.query.archived._CURRENT", f"(type, schema) IN (('{kind}', {newest}))"
    )

    _, rows = asked(filled, read=False)
    _, archived = asked(filled)

    assert archived == rows and any('"new":1' in row["body"] for row in rows)


@pytest.mark.parametrize("why", ["changed", "redacted", "companion", "first one missing"])
def test_what_the_ledger_does_not_bear_out_is_not_read(filled: Archive, why: str) -> None:
    first = min(filled.folder.glob("*.parquet"))
    if why == "changed":
        first.write_bytes(first.read_bytes()[:-1] + b"x")
    elif why == "companion":
        first.with_suffix(".json").write_text("{}")
    elif why == "first one missing":
        first.unlink()
        first.with_suffix(".json").unlink()
    else:
        before = {path: path.read_bytes() for path in filled.folder.iterdir() if path.is_file()}
        filled.office.redact(filled.office.first("InputFileReceived").position)
        for path, data in before.items():
            path.write_bytes(data)  # as a copy from elsewhere, that no redaction reached

    _, rows = asked(filled, read=False)
    found, archived = asked(filled)

    assert archived == rows
    assert 0 < found.archived < filled.office.lab.size()
    assert len(found.unfit) == (0 if why == "first one missing" else 1)


def test_the_archive_of_another_ledger_is_not_read(filled: Archive) -> None:
    for path in filled.folder.glob("*.json"):
        path.write_text(path.read_text().replace('"origin": "daybook/', '"origin": "another/'))

    found, archived = asked(filled)

    assert found.archived == 0 and len(found.unfit) == len(list(filled.folder.glob("*.json")))
    assert archived == asked(filled, read=False)[1]
