"""Which version of the program made the lists, as the head row says it."""

import orjson

from ledger.errors import LedgerUnavailable
from ledger.head import Head
from projections.records import VERSIONS


def versions() -> str:
    """What ``head.projections`` says where the tables were made by this version of the program."""
    return orjson.dumps(VERSIONS, option=orjson.OPT_SORT_KEYS).decode()


def refuse_newer(head: Head) -> None:
    """Raises LedgerUnavailable where a newer version of the program made the lists: it may read of the events what this
    one does not. A list that this one does not know is newer; one that is given up keeps its name in ``VERSIONS``."""
    if not head.projections.startswith("{"):  # nobody's: they do not fit, or hold what was redacted
        return
    made_by = orjson.loads(head.projections)
    if any(number > VERSIONS.get(table, 0) for table, number in made_by.items()):
        raise LedgerUnavailable(
            "newer-projections",
            "A newer version of Daybook has made the lists of this ledger, and this one would not make the same of it.",
            "Install that version, or a newer one.",
        )
