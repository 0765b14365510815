"""What a question costs: the statements that it runs, and whether one of them reads a table from end to end."""

from typing import Any

from ledger.database import Transaction


class Watched:
    """A transaction that keeps the statements that go through it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def run(self, sql: str, values: Any = ()) -> Any:
        self.statements.append((sql, tuple(values)))
        return self._transaction.run(sql, values)


def whole_reads(transaction: Any, sql: str, values: tuple[Any, ...]) -> list[str]:
    """The steps of a statement's plan that read a table from end to end. The index of open requests holds no others."""
    if transaction.dialect == "sqlite":
        plan = [row[3] for row in transaction.run(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]
        return [
            step
            for step in plan
            if step.startswith("SCAN") and "ix_deletions" not in step and "(" not in step[:6]
        ]
    transaction.run("SET LOCAL enable_seqscan = off")  # tiny tables: it must be able to do without
    plan = [row[0] for row in transaction.run(f"EXPLAIN {sql}", values).fetchall()]
    return [step for step in plan if "Seq Scan" in step]
