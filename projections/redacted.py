"""What was redacted in records: where their texts are "(redacted)", this says by whom and why."""

from collections.abc import Collection

from ledger.database import Transaction
from projections.lines import RedactionLine
from projections.records import Redaction
from projections.rows import Rows


def redacted(transaction: Transaction, slot: str, streams: Collection[str]) -> list[RedactionLine]:
    """The redactions of the events of these streams."""
    rows = Rows(Redaction, slot)
    rows.attach(transaction)
    return [
        RedactionLine(
            position=row.position,
            type=row.type,
            stream=row.stream,
            redacted_by=row.approved_by,
            requested_by=row.requested_by,
            redacted_at=row.redacted_at,
            reason=row.reason,
        )
        for row in rows.where("position > ?", [0])  # few, as two admins agree on each
        if row.stream in streams
    ]
