"""Which open request asks for something already: what was asked for need not be advised again. Pure reading."""

from typing import TYPE_CHECKING

import orjson

from projections.records import Deletion

if TYPE_CHECKING:
    from projections.rows import State


def open_request(state: "State", kind: str, *records: str, by: str | None = None) -> Deletion | None:
    """The first that waits for a decision and names these records, as its list of records does; of one user where
    ``by`` is given."""
    for row in state.deletions.where("status = 'requested' AND kind = ?", [kind]):
        if by in (None, row.requested_by) and {*records} <= {*orjson.loads(row.records)}:
            return row
    return None


def proposed_values(state: "State") -> dict[tuple[str, str], str]:
    """The requests that propose a value, by its table and the value."""
    found = {}
    for row in state.deletions.where("status = 'requested' AND kind = 'proposal'", []):
        for record in orjson.loads(row.records):
            table, _, value = record.partition(": ")
            found[table, value] = f"d{row.id}"
    return found
