"""What became of a session, from its request on. Streams ``session/<id>`` and ``look/<position>``."""

from typing import Any

from ledger.events.body import Body


class SessionInsertRequested(Body):
    """``entry`` is the input file's entry, typed; ``location`` is its normalised form, the dedup key, as is what it
    ``leads_to`` over links. ``replaces`` is the session that a correction deletes for this one."""

    datasource_id: int
    subject: str
    location: str
    entry_index: int
    entry: dict[str, Any]
    replaces: int | None = None
    leads_to: str | None = None


class SessionWaiting(Body):
    """Stage 3 cannot go on. ``reason``: probe-association, probe-of-another-subject, serial-contradicts, data-missing,
    starts-apart, no-start, sessions-txt, acquiring; or, where the disk is away for the moment, root-not-mounted,
    location-unreachable, session-changing. ``found`` are the probes on disk, ``inserted`` those of the subject;
    ``belongs`` says of probes on disk whose they are: ``{"name", "serial", "probe", "subject"}``. ``missing`` are data
    that cannot be taken as they are, ``starts`` when each recording began. Without ``holds`` its location is free for
    another session."""

    reason: str
    message: str
    found: list[dict[str, Any]] = []
    inserted: list[str] = []
    belongs: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    starts: list[dict[str, Any]] = []
    holds: bool = True


class SessionInserted(Body):
    """``session_time`` is naive local time. ``sessions_txt`` is what tasks inherited from: its sha256 and rows.
    ``remarks`` stay with the session: ``{"code", "name", "files", "message"}``. ``open`` says what is looked for later:
    clustering, data."""

    session_time: str
    system: str
    recordings: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    sessions_txt: dict[str, Any] | None = None
    remarks: list[dict[str, Any]] = []
    open: list[str] = []


class SessionInsertFailed(Body):
    """``incident`` is the id of a fault of the program, where that was what failed the entry; ``taken_by`` the session
    that has its session_time, where it failed by that."""

    code: str
    message: str
    hint: str = ""
    incident: str | None = None
    taken_by: int | None = None


class ProbesAssociated(Body):
    """The waiting session is tried again. ``completed`` is the whole entry as it now stands. With ``despite_serial``
    somebody meant it although the serials on disk say otherwise, for this reason."""

    association: dict[str, str]
    completed: dict[str, Any]
    despite_serial: bool = False
    reason: str | None = None


class SessionSettled(Body):
    """A person decided on what a session waits for, and it is tried again: that its recordings are one session
    ``despite_dates``, that data are left out (``without``, by name), that its acquisition crashed, or when it
    started (naive local time)."""

    despite_dates: bool
    without: list[str]
    as_crashed: bool
    start: str | None
    reason: str


class MoreFound(Body):
    """A later look at an inserted session found more, or other, than the record has. ``recordings`` and ``probes`` go
    in as an addition; ``remarks`` and ``open`` are all that stay with it now."""

    recordings: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    remarks: list[dict[str, Any]]
    open: list[str]


class TasksAdded(Body):
    """``tasks`` are resolved, or None while the session itself is not inserted yet; ``completed`` is the whole entry
    as it now stands."""

    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None
    sessions_txt: dict[str, Any] | None = None


class SessionAnnotated(Body):
    """Room, project, notes or a clustering that the file left out; with a correction, whatever was added to the session
    that it replaces. ``fields`` are those given now; ``completed`` is the whole entry as it now stands."""

    fields: dict[str, Any]
    completed: dict[str, Any]


class SessionEntryRenewed(Body):
    """It was never inserted, and its owner's newest file says otherwise: ``entry`` is what that says, ``completed`` the
    same with what commands have added. It is tried again."""

    entry: dict[str, Any]
    completed: dict[str, Any]


class SessionSuperseded(Body):
    """It had failed, and its entry came again: ``by`` is the session that it became then."""

    by: int


class SessionAmended(Body):
    """Something is added to what the session says already, or what it names is called otherwise now. ``fields`` are
    those given now; ``completed`` is the whole entry as it now stands. ``tasks`` are all of them, resolved; ``probes``
    those that are another probe now: ``{"name", "probe", "matched_by"}``. Both are None where they stay, and before the
    session is inserted. ``session_time`` is when it began after all, by the disk, or by the word of a person, which
    ``start`` holds. ``sessions_txt`` is what tasks inherit from now."""

    fields: dict[str, Any]
    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None
    probes: list[dict[str, Any]] | None
    despite_serial: bool = False
    reason: str | None = None
    session_time: str | None = None
    start: str | None = None
    sessions_txt: dict[str, Any] | None = None


class SessionMoved(Body):
    """Its recordings were known again at ``location``, ``instead_of`` where they lay. ``leads_to`` as in its request;
    ``completed`` is the whole entry as it now stands. ``renamed`` are the probes that are called otherwise on disk:
    ``{"name", "new_name"}``; ``left`` the clusterings that were not found at the new place."""

    location: str
    leads_to: str | None
    instead_of: str
    completed: dict[str, Any]
    renamed: list[dict[str, str]]
    left: list[int]


class SessionWithdrawn(Body):
    """Its owner took back an entry that was never inserted."""


class SessionDeleted(Body):
    """``was`` is the status before: inserted, pending or waiting. The deletion is the event's correlation;
    ``replaced_by`` is the session that a correction puts in its place."""

    was: str
    replaced_by: int | None = None


class SessionRestored(Body):
    """``status``: inserted, or pending, which is tried again."""

    status: str


class DiskLookedAt(Body):
    """What is open of these inserted sessions was looked for again, at its time: inclusive ranges of ids."""

    sessions: list[tuple[int, int]]


class SessionSubjectRenamed(Body):
    """The subject that it belongs to is called ``subject`` now: a name, as ``instead_of`` is."""

    subject: str
    instead_of: str
