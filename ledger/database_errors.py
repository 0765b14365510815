"""The drivers' errors, as refusals that a person can act on. The only module that reads their codes and texts."""

import os
from pathlib import Path

from ledger.addresses import Address, shown
from ledger.connection_errors import unreachable
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal

APPLICATION_ROLE = "daybook_app"  # on PostgreSQL: may append and project, owns nothing
BUSY_TIMEOUT_S = 60.0
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")
_ROOM = 65_536  # bytes, of the shared memory beside a SQLite file and the first pages of its log


def is_broken_text(error: BaseException) -> bool:
    """Whether the database refused to read a text because it is not UTF-8."""
    return "Could not decode to UTF-8" in str(error)


def refusal_of(error: BaseException, address: Address, *, begun: bool = False) -> Refusal | None:
    """``begun``: it happened inside a transaction."""
    if type(error).__module__.startswith("sqlalchemy"):
        error = getattr(error, "orig", None) or error
    if type(error).__module__.startswith("sqlite3"):
        return _sqlite_refusal(error, address.database)
    if type(error).__module__.startswith("psycopg"):
        return _postgresql_refusal(error, shown(address.text), begun)
    return None


def _sqlite_refusal(error: BaseException, file: str) -> Refusal | None:
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if (name.startswith("SQLITE_CONSTRAINT") and "UNIQUE" in text) or name == "SQLITE_CONSTRAINT_PRIMARYKEY":
        return Conflict("taken", f"Another writer was faster: {text}.", "Try again.")
    if name in _FULL or (name.startswith("SQLITE_IOERR") and _is_full(Path(file))):
        return _full_disk(file)
    if name.startswith("SQLITE_CANTOPEN"):
        if not Path(file).exists():
            return _no_file(Path(file).absolute())
        if Path(file).is_dir():
            return LedgerUnavailable(
                "not-a-database", f"{file} is a folder.", "Expected a file, as in sqlite:///FOLDER/daybook.db"
            )
        if _is_full(Path(file)):  # there is no place for the files beside it
            return _full_disk(file)
        return LedgerUnavailable(
            "not-readable", f"{file} cannot be opened.", "Check its permissions and its folder's."
        )
    if name.startswith("SQLITE_READONLY"):
        return LedgerUnavailable(
            "read-only",
            f"The ledger {file} is read-only.",
            "Make the file and its folder writable for you, or choose another ledger.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerUnavailable(
            "busy", f"Another process has been writing to {file} for {BUSY_TIMEOUT_S:.0f} s.", "Try again."
        )
    if name.startswith("SQLITE_IOERR"):
        return LedgerUnavailable(
            "disk-error",
            f"The disk that holds {file} reports an error ({name}); nothing of this step was written.",
            "Check the disk, or the network that it is reached by.",
        )
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
        return LedgerUnavailable(
            "not-a-database",
            f"{file} is not an intact SQLite database ({text}).",
            "Restore it from a backup.",
        )
    if is_broken_text(error):
        return IntegrityFailure(
            "not-text", f"{file} holds text that is not UTF-8 ({text}).", "Restore it from a backup."
        )
    if "no such table" in text:
        return LedgerUnavailable("no-ledger", f"{file} holds no ledger.", "Create one", NextStep("init"))
    return None


def _full_disk(file: str) -> LedgerUnavailable:
    return LedgerUnavailable(
        "disk-full",
        f"The disk that holds {file} is full; nothing of this step was written.",
        "Free some space and run the same command again.",
    )


def _is_full(file: Path) -> bool:
    """Whether the disk is full, or takes no further file."""
    try:
        found = os.statvfs(file.absolute().parent)
    except (OSError, AttributeError):  # Windows has no such call
        return False
    return found.f_bavail * found.f_frsize < _ROOM or (found.f_files > 0 and found.f_favail == 0)


def _no_file(path: Path) -> LedgerUnavailable:
    """Advises to make a ledger only where one can be made."""
    folder = path.parent
    if not folder.is_dir():
        where, hint = (
            f": there is no folder {folder}",
            "Check the address of the ledger, or make the folder first.",
        )
    elif not os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        where, hint = ", and in this folder you may not make one", "Check the address of the ledger."
    else:
        return LedgerUnavailable(
            "no-ledger", f"There is no ledger at {path}.", "Create one", NextStep("init")
        )
    return LedgerUnavailable("no-ledger", f"There is no ledger at {path}{where}.", hint)


def _postgresql_refusal(error: BaseException, address: str, begun: bool) -> Refusal | None:
    state = getattr(error, "sqlstate", None) or ""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if state == "23505":
        return Conflict("taken", f"Another writer was faster: {text}.", "Try again.")
    if state in ("40001", "40P01"):
        return Conflict("serialization", f"Two writers met: {text}.", "Try again.")
    if state in ("42P01", "3F000") or f'role "{APPLICATION_ROLE}" does not exist' in str(error):
        return LedgerUnavailable("no-ledger", f"{address} holds no ledger.", "Create one", NextStep("init"))
    if state == "55P03":
        return LedgerUnavailable(
            "busy",
            f"Another process has held the ledger at {address} for {BUSY_TIMEOUT_S:.0f} s.",
            "Try again.",
        )
    if state == "25006":
        return LedgerUnavailable(
            "read-only", f"{address} is read-only ({text}).", "Connect to the primary server."
        )
    if "permission denied to set role" in str(error):  # at connecting: there is no SQLSTATE then
        return LedgerUnavailable(
            "no-role",
            f"You may not use the ledger at {address} ({text}).",
            f"Ask its owner for: GRANT {APPLICATION_ROLE} TO you",
        )
    if state == "42501":
        return LedgerUnavailable(
            "not-permitted-by-database",
            f"The database refuses: {text}.",
            f"Connect as the ledger's owner; a second owner on one server needs: "
            f"GRANT {APPLICATION_ROLE} TO you WITH ADMIN OPTION",
        )
    if type(error).__name__ == "DataError" and "NUL (0x00)" in text:
        return Refusal(
            "nul-character",
            "A text holds the character NUL (U+0000), which cannot be kept.",
            "Remove it, and try again.",
        )
    if state == "53100":
        return LedgerUnavailable(
            "disk-full", f"The server's disk is full ({text}).", "Free some space and run the command again."
        )
    lost = not state and any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    if begun and (lost or state.startswith(("08", "57P"))):
        return LedgerUnavailable(
            "connection-lost",
            f"The connection to {address} was lost in the middle of a step ({text}). All of the step is recorded, or "
            "nothing.",
            "Run the same command again: it goes on from there.",
        )
    if lost or state.startswith(("08", "57P", "3D", "28", "53")):
        return unreachable(address, str(error), state)
    return None
