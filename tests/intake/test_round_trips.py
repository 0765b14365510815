"""An upload asks the database in portions: over a network every statement is a journey, under the lock most of all."""

import pytest

from ledger.database import Transaction
from tests.intake.lab import Lab, session


def test_sessions_of_an_upload_are_not_asked_for_one_by_one(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = Transaction.run

    def counted(transaction: Transaction, sql: str, values: object = ()) -> object:
        asked.append(sql)
        return run(transaction, sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "run", counted)
    names, numbers = lab.record_quickly(60), []
    entries = [session(name) for name in names]
    for first, last in ((0, 5), (5, 60)):
        asked.clear()
        report = lab.upload(*entries[first:last])
        assert [each.outcome for each in report.sessions] == ["inserted"] * (last - first)
        numbers.append(len(asked))

    assert numbers[1] <= numbers[0] + 10, asked
