"""Which version of the program made the lists, as the head row says."""

import orjson

from ledger.errors import LedgerUnavailable
from ledger.head import Head
from projections.records import VERSIONS


def versions() -> str:
    """What ``head.projections`` says where this version of the program made the tables."""
    return orjson.dumps(VERSIONS, option=orjson.OPT_SORT_KEYS).decode()


def refuse_newer(head: Head) -> None:
    """Raises LedgerUnavailable where a newer version of the program made the lists: it may understand more of the
    events. A list that this version does not know is newer; a list that was given up keeps its name in ``VERSIONS``.
    """
    if not head.projections.startswith("{"):  # to be made anew: they do not fit, or hold what was redacted
        return
    made_by = orjson.loads(head.projections)
    if any(number > VERSIONS.get(table, 0) for table, number in made_by.items()):
        raise LedgerUnavailable(
            "newer-projections",
            "A newer version of Daybook has made the lists of this ledger, and this one would not make the same of it.",
            "Install that version, or a newer one.",
        )
