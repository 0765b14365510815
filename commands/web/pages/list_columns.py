"""What the lists of records show: their columns, filters and tabs. Data only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from commands.web.pages.addresses import record_address

Look = Literal["text", "status", "record", "path", "time", "number", "words"]


@dataclass(frozen=True, slots=True)
class Column:
    """``field`` is the answer's; ``link`` gives the record that a value leads to. ``chosen``: shown unless other
    columns are."""

    field: str
    title: str
    look: Look = "text"
    chosen: bool = True
    link: Callable[[Any], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """``among``: the values that there are, with their words; None for a text. ``rare``: folded away until it is
    used."""

    name: str
    title: str
    hint: str = ""
    among: tuple[tuple[str, str], ...] | None = None
    rare: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """``kind`` is the question, ``id`` the field with a row's own id, ``reason`` the one that says why it stands as it
    does. ``counted`` are the tabs whose number costs next to nothing."""

    kind: str
    title: str
    id: str
    reason: str | None
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    tabs: tuple[tuple[str, str], ...]
    counted: tuple[str, ...]
    nothing_yet: str


def _to(kind: str, field: str) -> Callable[[Any], str | None]:
    def link(row: Any) -> str | None:
        value = getattr(row, field)
        if value is None:
            return None
        return record_address(f"{kind}:{value}" if kind else str(value))

    return link


_SUBJECT = Column("subject", "Subject", link=_to("subject", "subject"))
_WHO = Column("username", "Who", link=_to("user", "username"))
_UPLOAD = Column("upload", "Upload", "record", chosen=False, link=_to("", "upload"))
_STATUS = Column("status", "Status", "status")
_SINCE = Filter("since", "Since", "monday")
_UNTIL = Filter("until", "Before", "2026-01-31")
_COMMON = (Filter("text", "Text", "path, note, id"), Filter("subject", "Subject"), Filter("user", "Who"))
_OF_SESSIONS = (
    Filter("project", "Project", rare=True), Filter("task", "Type of task", rare=True),
    Filter("probe", "Probe", rare=True),
)  # fmt: skip
_MISSING = (
    ("tasks", "tasks"), ("clusterings", "clusterings"), ("room", "room"), ("association", "association"),
    ("data", "data"),
)  # fmt: skip
_LACKS = Filter("missing", "Missing", among=_MISSING)
_LACKS_OF_CLUSTERINGS = Filter(
    "missing", "Session lacks", among=tuple(m for m in _MISSING if m[0] != "clusterings")
)
_TABS = (
    ("", "All"), ("waiting", "Waiting"), ("pending", "Pending"), ("error", "Failed"), ("inserted", "Inserted"),
    ("withdrawn", "Withdrawn"), ("deleted", "Deleted"),
)  # fmt: skip
_UNSETTLED = ("waiting", "pending", "error")

SESSIONS = List(
    "sessions", "Sessions", "session", "message",
    (
        _STATUS,
        Column("session", "Id", "record", chosen=False, link=_to("", "session")),
        Column("session_time", "Session", "record", link=_to("", "session")),
        _SUBJECT,
        Column("location", "Location", "path"),
        _WHO,
        Column("name", "Name", chosen=False),
        Column("system", "System", chosen=False),
        Column("experimenter", "Experimenter", "words", chosen=False),
        Column("room", "Room", chosen=False),
        Column("project", "Project", "words", chosen=False),
        Column("clusterings_inserted", "Clusterings", "number", chosen=False),
        _UPLOAD,
        Column("requested_at", "Requested", "time", chosen=False),
        Column("changed_at", "Changed", "time", chosen=False),
    ),
    (*_COMMON, _SINCE, _UNTIL, _LACKS, *_OF_SESSIONS), _TABS, _UNSETTLED,
    "No session yet. Upload an input file, and its sessions stand here.",
)  # fmt: skip
CLUSTERINGS = List(
    "clusterings", "Clusterings", "clustering", "message",
    (
        _STATUS,
        Column("clustering", "Clustering", "record", link=_to("", "clustering")),
        Column("group_name", "Group"),
        Column("session", "Session", "record", link=_to("", "session")),
        _SUBJECT,
        Column("location", "Location", "path"),
        Column("curator", "Curator"),
        Column("curation_time", "Curated"),
        _WHO,
        Column("notes", "Notes", chosen=False),
        _UPLOAD,
        Column("requested_at", "Requested", "time", chosen=False),
        Column("changed_at", "Changed", "time", chosen=False),
    ),
    (*_COMMON, _SINCE, _UNTIL, _LACKS_OF_CLUSTERINGS, *_OF_SESSIONS), _TABS, _UNSETTLED,
    "No clustering yet. Those of one session are found beside its recordings; those of several stand in an input file.",
)  # fmt: skip
UPLOADS = List(
    "uploads", "Uploads", "upload", None,
    (
        _STATUS,
        Column("upload", "Upload", "record", link=_to("", "upload")),
        Column("filename", "File", "path"),
        _SUBJECT,
        Column("sessions", "New sessions", "number"),
        Column("inserted", "Inserted", "number"),
        Column("waiting", "Waiting", "number"),
        Column("errors", "Failed", "number"),
        Column("duplicates", "Known already", "number"),
        _WHO,
        Column("received_at", "Received", "time"),
        Column("clusterings", "New clusterings", "number", chosen=False),
        Column("pending", "Pending", "number", chosen=False),
        Column("withdrawn", "Withdrawn", "number", chosen=False),
        Column("deleted", "Deleted", "number", chosen=False),
        Column("sha256", "SHA-256", "path", chosen=False),
        Column("size_bytes", "Bytes", "number", chosen=False),
        Column("processed_at", "Processed", "time", chosen=False),
        Column("replays", "Replays", "record", chosen=False, link=_to("", "replays")),
    ),
    (*_COMMON, _SINCE, _UNTIL, _LACKS, *_OF_SESSIONS),
    (("", "All"), ("validated", "Validated"), ("rejected", "Rejected"), ("processed", "Processed")), ("validated",),
    "No upload yet. An input file that was uploaded stands here, whatever became of it.",
)  # fmt: skip
