"""Which reference tables there are. Knows no ledger."""

import difflib

from commands.inputfile.known import REFERENCE_TABLES
from ledger.errors import Refusal


def checked_table(name: str) -> str:
    """The reference table's name. Raises Refusal with the nearest one where there is none of that name."""
    if name in REFERENCE_TABLES:
        return name
    near = difflib.get_close_matches(name, REFERENCE_TABLES, n=1, cutoff=0.4)
    tables = ", ".join(REFERENCE_TABLES)
    raise Refusal(
        "unknown-table",
        f'There is no reference table "{name}".',
        f'Did you mean "{near[0]}"?' if near else f"The tables are: {tables}.",
    )
