"""What became of an input file. Streams ``upload/<id>``, ``check/<id>`` and ``input-file/<sha256>``."""

from typing import Any

from ledger.bodies import NO_MORE
from ledger.events.body import Body


class InputFileReceived(Body):
    """Of the bytes as they are kept. ``replays`` is the earlier upload whose stored bytes were taken again. ``blanked``
    are lines that came with something that had been redacted, and were not kept: ``{"lines": [first, last],
    "position"}``, with the position that had been."""

    filename: str
    sha256: str
    size_bytes: int
    replays: int | None = None
    blanked: list[dict[str, Any]] = []


class InputFileValidated(Body):
    """``sessions`` and ``clusterings`` count the entries of the file. Of those that stood in the ledger already,
    ``unchanged_*`` holds inclusive index ranges of the ones that equal what is stored; the others are listed:
    ``{"index", "session" | "clustering", "differences"}``. ``more`` counts the findings beyond those in ``findings``
    by severity, and says of the first of them ``placed``: ``{"severity", "code", "line", "column"}``."""

    sessions: int
    clusterings: int
    findings: list[dict[str, Any]]
    unchanged_sessions: list[tuple[int, int]]
    unchanged_clusterings: list[tuple[int, int]]
    changed_sessions: list[dict[str, Any]]
    changed_clusterings: list[dict[str, Any]]
    more: dict[str, Any] = NO_MORE


class InputFileRejected(Body):
    """``stage`` is the last stage that was reached; the file itself is kept under its sha256. ``more`` as in
    InputFileValidated."""

    stage: int
    findings: list[dict[str, Any]]
    more: dict[str, Any] = NO_MORE


class InputFileProcessed(Body):
    """What became of each new entry when the file was first processed:
    ``{"index", "session" | "clustering", "outcome", "reason"}``."""

    sessions: list[dict[str, Any]]
    clusterings: list[dict[str, Any]]


class InputFileChecked(Body):
    """Somebody validated a file without uploading it; its bytes are not kept."""

    filename: str
    sha256: str
    size_bytes: int
    ok: bool
    stage: int
    errors: int
    warnings: int


class UploadSubjectRenamed(Body):
    """The subject of the file is called ``subject`` now, whatever its bytes say."""

    subject: str
    instead_of: str


class InputFileErased(Body):
    """On the stream ``input-file/<sha256>``: the stored bytes were removed with the redaction of their receipt."""

    sha256: str
    deletion: int
