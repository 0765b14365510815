"""The client: a ledger of this machine or of a server, asked and told from Python. It has no logic of its own.

Both ways answer with the same documents: the frozen dataclasses of ``commands.answers``, whose fields are those of
``--json``. ``docs/answers.md`` lists them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from datetime import date
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from daybook.derived import as_method, checked, named
from daybook.errors import WrongArgument, raised_typed
from daybook.given import Time, When, file_given, moment_given, text_of, time_given
from daybook.places import Place
from daybook.rows import Rows

if TYPE_CHECKING:
    from types import TracebackType

    from commands.answers.answering import Answering, Progress
    from commands.answers.audit import Audit
    from commands.answers.diff import Diff
    from commands.answers.history import History
    from commands.answers.lab import Subjects
    from commands.answers.named import Named
    from commands.answers.record import ClusteringRecord, SessionRecord, UploadRecord
    from commands.answers.request import Request
    from commands.answers.rows import EventLine
    from commands.answers.status import Status
    from commands.answers.trace import Trace
    from commands.answers.verified import Verified
    from commands.answers.why import Why
    from commands.intake.checking import CheckedFile
    from commands.intake.upload_report import UploadReport
    from ledger.moments import Moment
    from projections.lines import ListedClustering, ListedSession, ListedUpload, RequestLine
    from projections.queries import Kind

T = TypeVar("T")
Missing = Literal["tasks", "clusterings", "room", "association", "data"]
_PAGE, _EVENTS = 1_000, 10_000  # the most that is given at once


class Client:
    """Every question and every action of the ledger is a method: those below, and by its name whatever else
    ``docs/python.md`` lists (``dir(client)`` does, too). Use it in a ``with`` block, or ``close()`` it.

    All of them raise ``daybook.Refusal`` or one of its classes: ``NotPermitted``, ``Conflict``, ``LedgerUnavailable``,
    ``IntegrityFailure``, ``WrongArgument``, ``NotSignedIn``, ``Unreachable``, ``Fault``. Each has a ``code``, a
    ``message``, a ``hint`` and ``steps``.

    Threads may share a client.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._one_at_a_time = threading.RLock()

    # --- lists ------------------------------------------------------------------------------------------------------

    def sessions(
        self, *, subject: str | None = None, user: str | None = None, status: str | None = None,
        project: str | None = None, task: str | None = None, probe: str | None = None,
        missing: list[Missing] | None = None, text: str | None = None, since: Time = None, until: Time = None,
        after: int | None = None, before: int | None = None, limit: int | None = None, as_of: When = None,
    ) -> "Rows[ListedSession]":  # fmt: skip
        """Sessions, newest first; everything that is given must hold. All of them, or the newest ``limit``.

        ``missing``: those that lack all of these and should have them (``tasks``, ``clusterings``, ``room``,
        ``association``, ``data``). ``since`` and ``until`` are times at which they were requested, in UTC unless they
        have an offset. ``after`` and ``before`` are numbers of records.
        """
        from projections.lines import ListedSession

        return self._rows("sessions", ListedSession, as_of, locals())

    def clusterings(
        self, *, subject: str | None = None, user: str | None = None, status: str | None = None,
        project: str | None = None, task: str | None = None, probe: str | None = None,
        missing: list[Missing] | None = None, text: str | None = None, since: Time = None, until: Time = None,
        after: int | None = None, before: int | None = None, limit: int | None = None, as_of: When = None,
    ) -> "Rows[ListedClustering]":  # fmt: skip
        """Clusterings, newest first, as ``sessions``. What is asked about sessions asks for one that they stand on."""
        from projections.lines import ListedClustering

        return self._rows("clusterings", ListedClustering, as_of, locals())

    def uploads(
        self, *, subject: str | None = None, user: str | None = None, status: str | None = None,
        project: str | None = None, task: str | None = None, probe: str | None = None,
        missing: list[Missing] | None = None, text: str | None = None, since: Time = None, until: Time = None,
        after: int | None = None, before: int | None = None, limit: int | None = None, as_of: When = None,
    ) -> "Rows[ListedUpload]":  # fmt: skip
        """Uploads, newest first, as ``sessions``. What is asked about sessions asks for one that they brought."""
        from projections.lines import ListedUpload

        return self._rows("uploads", ListedUpload, as_of, locals())

    def requests(
        self, *, subject: str | None = None, user: str | None = None, status: str | None = None,
        decided: bool = False, text: str | None = None, since: Time = None, until: Time = None,
        after: int | None = None, before: int | None = None, limit: int | None = None, as_of: When = None,
    ) -> "Rows[RequestLine]":  # fmt: skip
        """Requests that wait for a decision, newest first; with ``decided`` the others, too."""
        from projections.lines import RequestLine

        return self._rows("requests", RequestLine, as_of, locals())

    def log(
        self, *, actor: str | None = None, type: str | None = None, subject: str | None = None,  # noqa: A002
        since: Time = None, until: Time = None, text: str | None = None, after: int = 0, as_of: When = None,
    ) -> "Rows[EventLine]":  # fmt: skip
        """The events of the whole ledger, oldest first; those behind the position ``after``."""
        from commands.answers.rows import EventLine

        given = {
            "actor": actor, "type": type, "subject": subject, "since": time_given(since), "until": time_given(until),
            "text": text,
        }  # fmt: skip
        asked, moment = checked(named()["log"], given), moment_given(as_of)
        return Rows(lambda: self._events(asked, after, moment), EventLine)

    # --- one record -------------------------------------------------------------------------------------------------

    def show(
        self, ref: str, *, as_of: When = None
    ) -> "SessionRecord | ClusteringRecord | UploadRecord | Request | Named":
        """One record, whole. ``ref`` is an id (``s12``, ``c34``, ``u56``, ``d78``), a location, a session time or a
        group name; or ``subject:NAME``, ``probe:NAME``, ``user:NAME``."""
        found: SessionRecord | ClusteringRecord | UploadRecord | Request | Named
        found = self._ask("record", as_of, ref=ref)
        return found

    def why(self, ref: str, *, as_of: When = None) -> "Why":
        """What a record waits for, or why it failed, and what would resolve it."""
        found: Why = self._ask("why", as_of, ref=ref)
        return found

    def history(self, ref: str, *, as_of: When = None) -> "History":
        """The events of one record, oldest first."""
        found: History = self._ask("history", as_of, ref=ref)
        return found

    def trace(self, ref: str, *, limit: int = 100, as_of: When = None) -> "Trace":
        """From a record back to its file, and forward to what stands on it; so many of a kind, 0 for all."""
        found: Trace = self._ask("trace", as_of, ref=ref, limit=limit)
        return found

    def cat(self, ref: str) -> bytes:
        """An uploaded file, byte for byte as it came."""
        from commands.answers.doing.common import bytes_of

        stored = self._ask("stored_file", None, ref=ref)
        return bytes_of(stored.content, stored.encoding)

    # --- the whole ledger -------------------------------------------------------------------------------------------

    def status(self, *, of: str | None = None) -> "Status":
        """How things stand: what waits, what failed, what is open for one's decision."""
        found: Status = self._ask("status", None, of=of)
        return found

    def subjects(self, *, as_of: When = None) -> "Subjects":
        """Subjects with their probes."""
        found: Subjects = self._ask("subjects", as_of)
        return found

    def audit(
        self, *, by: str | None = None, since: date | str | None = None, until: date | str | None = None
    ) -> "Audit":
        """Uploads, inserts, deletions and refusals, counted by days (UTC); ``by`` whom or what."""
        found: Audit = self._ask("audit", None, by=by, since=since, until=until)
        return found

    def diff(
        self, start: When, end: When = None, *, subject: str | None = None, user: str | None = None
    ) -> "Diff":
        """What changed between two moments, and by whom."""
        moments = {name: text_of(when) for name, when in (("start", start), ("end", end)) if when is not None}
        found: Diff = self._ask("diff", None, **moments, subject=subject, user=user)
        return found

    def verify(self, *, lists: bool | None = None) -> "Verified":
        """Recompute the whole ledger, and say what does not hold. The answer's ``ok`` says whether all holds."""
        found: Verified = self._ask("verification", None, lists=lists)
        return found

    # --- input files ------------------------------------------------------------------------------------------------

    def upload(
        self, path: str | PathLike[str], *, content: bytes | str | None = None, command_id: str | None = None,
        progress: "Progress | None" = None,
    ) -> "UploadReport":  # fmt: skip
        """Check an input file and ingest what is new in it; follow it to its end. A file with mistakes is no error: the
        report's ``ok`` is False, and ``findings`` say where they are.

        ``content`` in place of the file's own; the path then only names it. Under one ``command_id`` it is taken once,
        however often it is sent. ``progress`` is called with how many entries are done, and of how many. Raises
        OSError where the file cannot be read.
        """
        from commands.intake.uploading import upload_too_large

        name, data = file_given(path, content, self._place.settings.limits)
        if isinstance(data, int):
            refused = upload_too_large(data, self._place.settings.limits, filename=name)
            assert refused is not None  # noqa: S101 - it was measured by the same limit
            return refused
        following = {} if progress is None else {"progress": progress}
        found: UploadReport = self._told(
            "upload",
            lambda ledger: ledger.upload(data, filename=name, command_id=command_id, **following),
        )
        return found

    def validate(
        self, path: str | PathLike[str], *, content: bytes | str | None = None, record: bool = True
    ) -> "CheckedFile":
        """Check an input file; ingest nothing. With ``record`` an event says that it was checked. Raises OSError where
        the file cannot be read."""
        from commands.intake.checking import checked_too_large

        name, data = file_given(path, content, self._place.settings.limits)
        if isinstance(data, int):
            refused = checked_too_large(data, self._place.settings.limits)
            assert refused is not None  # noqa: S101 - it was measured by the same limit
            return refused
        found: CheckedFile = self._told(
            "validate", lambda ledger: ledger.validate(data, filename=name, record=record)
        )
        return found

    # --- all others, by their names ---------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A question or an action that has no method of its own above."""
        one = None if name.startswith("_") else named().get(name)
        if one is None:
            from commands.inputfile.nearest import did_you_mean

            hint = did_you_mean(name, [each for each in dir(self) if not each.startswith("_")])
            raise AttributeError(f"A client has no method {name}. {hint or ''}".rstrip(), name=name, obj=self)
        call = self._asked if hasattr(one, "ask") else self._done
        return as_method(one, lambda **given: call(name, **given))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *named()})

    @property
    def user(self) -> str:
        """Who asks, as the ledger has it."""
        return str(self.status().user)

    @property
    def address(self) -> str:
        """Where the ledger is, without a password."""
        return self._place.address

    def close(self) -> None:
        """End the connections."""
        self._place.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<daybook at {self._place.address}>"

    # --- how --------------------------------------------------------------------------------------------------------

    def _asked(self, name: str, /, *, as_of: When = None, **given: Any) -> Any:
        return self._ask(name, as_of, **given)

    def _ask(self, name: str, as_of: When, /, **given: Any) -> Any:
        one, moment = named()[name], moment_given(as_of)
        asked = checked(one, given)
        with self._told_typed(name), self._answering() as ledger:
            return _whole(ledger.ask(one.name, as_of=moment, **asked))

    def _done(self, name: str, /, *, command_id: str | None = None, **given: Any) -> Any:
        one = named()[name]
        asked = checked(one, given)
        done = self._told(name, lambda ledger: ledger.do(one.name, command_id=command_id, **asked))
        return done if getattr(one, "secret", False) else done.answer

    def _told(self, name: str, tell: "Callable[[Answering], T]") -> T:
        with self._told_typed(name):
            with self._answering() as ledger:
                found = tell(ledger)
            self._place.wrote()
        return found

    def _rows(self, kind: "Kind", row: type[T], as_of: When, given: dict[str, Any]) -> "Rows[T]":
        from projections.queries import Query

        moment = moment_given(as_of)
        limit = given.pop("limit")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise WrongArgument("wrong-argument", f"limit={limit!r}: expected a number of rows.", "")
        decided = given.pop("decided", None)
        asked = {
            name: value for name, value in given.items() if name in {field.name for field in fields(Query)}
        }
        asked = checked(
            named()[kind], asked | {"since": time_given(given["since"]), "until": time_given(given["until"])}
        )
        if decided is False and "status" not in asked:
            asked["status"] = "requested"
        query = Query(limit=limit, **asked | {"missing": tuple(asked.get("missing", ()))})

        def found() -> Iterator[T]:
            from commands.answers.walking import walked

            def page(wanted: Any, then: "Moment | None") -> Any:
                with self._told_typed(kind), self._answering() as ledger:
                    return ledger.page(kind, wanted, as_of=then)

            for each in walked(page, kind, replace(query), moment, most=_PAGE):
                yield from getattr(each, kind)

        return Rows(found, row)

    def _events(self, asked: dict[str, Any], after: int, moment: "Moment | None") -> "Iterator[EventLine]":
        def page(**cursor: int | None) -> Any:
            with self._told_typed("log"), self._answering() as ledger:
                return _whole(ledger.ask("log", as_of=moment, limit=_EVENTS, **cursor, **asked))

        if "text" in asked:  # which is looked for from the newest to the oldest
            found = [page(after=after)]
            moment = found[0].position if moment is None else moment
            while found[-1].older is not None:
                found.append(page(after=after, before=found[-1].older))
            yield from (event for each in reversed(found) for event in each.events)
            return
        cursor: int | None = after
        while cursor is not None:
            here = page(after=cursor)
            yield from here.events
            moment = here.position if moment is None else moment
            cursor = here.newer

    @contextmanager
    def _answering(self) -> "Iterator[Answering]":
        with self._one_at_a_time, self._place.answering() as ledger:
            yield ledger

    def _told_typed(self, method: str) -> AbstractContextManager[None]:
        return raised_typed(method, beside=self._place.beside, contact=self._place.settings.contact)


def _whole(answer: Any) -> Any:
    """An answer of which nothing is read row by row any more."""
    read = {
        field.name: list(value)
        for field in fields(answer)
        if isinstance(value := getattr(answer, field.name), Iterator)
    }
    return replace(answer, **read) if read else answer
