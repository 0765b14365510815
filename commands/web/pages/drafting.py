"""The drafts of whoever visits: kept while somebody types, a bounded number for each, and nobody else's are seen."""

import re
from datetime import UTC, datetime

from commands.inputfile.limits import Limits
from commands.recordings.disk import shown
from commands.web.pages.visiting import Visit, WrongField
from ledger import drafts

NAMELESS = "upload.yml"
_LONGEST = 255
_NUMBERED = re.compile(r"(.*?)(?: \((\d+)\))?(\.[^.]*)?$", re.DOTALL)


def named(text: str) -> str:
    """The name of a file, whatever path a browser put before it."""
    name = shown(text.replace("\\", "/").rpartition("/")[2].strip())
    return "".join(sign for sign in name if sign.isprintable())[:_LONGEST] or NAMELESS


def all_of(visit: Visit) -> list[drafts.Draft]:
    with visit.serving.ledger.database.reading() as transaction:
        return drafts.of_user(transaction, visit.actor.user)


def content_of(visit: Visit, name: str) -> bytes | None:
    with visit.serving.ledger.database.reading() as transaction:
        return drafts.content(transaction, visit.actor.user, name)


def keep(visit: Visit, name: str, data: bytes) -> None:
    """Raises WrongField for what no input file can be."""
    limits: Limits = visit.serving.settings.limits
    if len(data) > limits.input_file_bytes:
        raise WrongField(
            "text", f"The file has {len(data):,} bytes; at most {limits.input_file_bytes:,} are read."
        )
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with visit.serving.ledger.database.writing() as transaction:
        drafts.keep(transaction, visit.actor.user, name, data, at)


def keep_beside(visit: Visit, name: str, data: bytes) -> str:
    """A file that comes from elsewhere takes no draft's place, unless it is the same. Returns its name."""
    while (there := content_of(visit, name)) is not None and there != data:
        found = _NUMBERED.fullmatch(name)
        assert found is not None  # noqa: S101 - it always matches
        name = f"{found[1]} ({int(found[2] or 1) + 1}){found[3] or ''}"
    keep(visit, name, data)
    return name


def drop(visit: Visit, name: str) -> None:
    with visit.serving.ledger.database.writing() as transaction:
        drafts.drop(transaction, visit.actor.user, name)
