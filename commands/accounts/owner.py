"""Whether whoever acts owns the database itself: that one can get somebody in again where nobody else can."""

import os
from pathlib import Path

from commands.door.actor import OS
from commands.door.submit import Daybook


def owns_database(daybook: Daybook) -> bool:
    """At the machine, under the own account: of a SQLite file its owner or root; on a server a login that owns its
    tables. Whoever claims another name never does."""
    if daybook.actor.authentication != OS:
        return False
    if daybook.database.dialect == "sqlite":
        return _owns_file(Path(daybook.database.address.database))
    with daybook.database.reading() as transaction:
        (owns,) = transaction.run(
            "SELECT pg_has_role(session_user, relowner, 'MEMBER') FROM pg_class WHERE oid = 'events'::regclass"
        ).fetchone()
    return bool(owns)


def _owns_file(file: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return os.access(file, os.W_OK)
    return os.geteuid() in (0, file.stat().st_uid)
