"""A ledger at a server, asked and told by the names of questions and actions, as one of this machine is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import orjson

from commands.answers import wire
from commands.answers.answering import Done, Noted, Progress, begun, no_progress
from commands.answers.document import json_text
from commands.answers.questions import Question
from commands.answers.questions import question as question_of
from commands.answers.typed import read, read_any
from commands.door.command_ids import new_command_id
from commands.remote.connection import Connection, Reply
from commands.remote.faults import ServerFault
from commands.remote.problems import RefusedThere, refuse, refuse_foreign
from ledger import __version__
from ledger.errors import Refusal
from ledger.moments import Moment

if TYPE_CHECKING:
    from commands.answers.lists import AnyList
    from commands.intake.checking import CheckedFile
    from commands.intake.upload_report import UploadReport
    from commands.moving.importing import Moved
    from projections.queries import Kind
    from projections.queries import Query as ListQuery

API = "/api/v1"
Told = Callable[[str], None]


class Remote:
    """``noted`` is called as it is by a ledger here; ``ahead`` with a time of the log that lies ahead; ``expires`` with
    when what one is signed in by does."""

    def __init__(
        self, connection: Connection, *, noted: Noted | None = None, ahead: Told = lambda time: None,
        expires: Told = lambda time: None,
    ) -> None:  # fmt: skip
        self.connection, self._noted, self._ahead, self._expires = connection, noted, ahead, expires
        self._user = ""
        self._agreed = False

    @property
    def user(self) -> str:
        return self._user

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(self, question: str, /, *, as_of: Moment | None = None, **parameters: Any) -> Any:
        if question == "log" and parameters.get("limit") is None:
            from commands.remote.pages import whole_log

            return whole_log(self, as_of, parameters)
        return self.ask_once(question_of(question), as_of, parameters)

    def ask_once(self, question: Question, as_of: Moment | None, parameters: Mapping[str, Any]) -> Any:
        assert question.path is not None  # noqa: S101
        if question.in_body:
            body = json_text(_given(parameters), indent=False)
            sent = self.answered(
                lambda: self.connection.send(
                    "POST", API + str(question.path), body=body, kind="application/json"
                )
            )
            return self.read(question.answers, sent)
        path, query = question.path, []
        for name, value in parameters.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            else:
                query += [(name, each) for each in _texts(value)]
        if as_of is not None:
            query.append(("as_of", str(as_of)))
        reply = self.answered(lambda: self.connection.get(API + path, query))
        self._note(reply)
        return self.read(question.answers, reply)

    def page(self, kind: "Kind", query: "ListQuery", *, as_of: Moment | None = None) -> "AnyList":
        from commands.remote.pages import one_page

        return one_page(self, kind, query, as_of)

    def pages(self, kind: "Kind", query: "ListQuery", *, as_of: Moment | None = None) -> "Iterator[AnyList]":
        from commands.remote.pages import every

        return begun(every(self, kind, query, as_of))

    # --- doing ------------------------------------------------------------------------------------------------------

    def do(
        self, action: str, /, *, command_id: str | None = None, progress: Progress = no_progress,  # noqa: ARG002
        **parameters: Any,
    ) -> Done:  # fmt: skip
        from commands.answers.actions import action as action_of
        from commands.answers.receipts import result_types

        found = action_of(action)
        body = json_text(_given(parameters), indent=False)
        reply = self._told(f"{API}/actions/{found.name}", body, "application/json", command_id)
        secret = reply.json().get("secret")
        return Done(self.read(result_types(found.verb), reply), secret)

    def upload(
        self, data: bytes, *, filename: str, command_id: str | None = None, progress: Progress = no_progress
    ) -> "UploadReport":
        from commands.intake.upload_report import UploadReport
        from commands.remote.following import followed

        reply = self._told(
            f"{API}/uploads", data, "application/octet-stream", command_id, [("filename", filename)]
        )
        report: UploadReport = self.read((UploadReport,), reply)
        return report if reply.status != 202 else followed(self, report, progress)

    def report(self, upload: str, *, wait_s: int) -> "tuple[UploadReport, bool]":
        """What became of an upload by now, and whether nothing more will."""
        from commands.intake.upload_report import UploadReport

        path = f"{API}/uploads/{upload}/report"
        reply = self.answered(lambda: self.connection.get(path, [("wait", str(wait_s))]))
        return self.read((UploadReport,), reply), reply.status == 200

    def validate(
        self, data: bytes, *, filename: str, record: bool, command_id: str | None = None
    ) -> "CheckedFile":
        from commands.intake.checking import CheckedFile

        query = [("filename", filename), ("record", str(record).lower())]
        reply = self._told(f"{API}/validations", data, "application/octet-stream", command_id, query)
        found: CheckedFile = self.read((CheckedFile,), reply)
        return found

    def take_log(
        self, write: Callable[[bytes], Any], *, as_of: Moment | None = None, progress: Progress = no_progress
    ) -> "Moved":
        from commands.moving.importing import Moved

        query = [] if as_of is None else [("as_of", str(as_of))]
        plain = self._taken("/export", query, write, progress)
        return read(Moved, plain)

    def take_bundle(
        self, target: IO[bytes], *, records: Sequence[str] = (), checkpoint: str | None = None,
        progress: Progress = no_progress,
    ) -> int:  # fmt: skip
        query = [("records", each) for each in records]
        query += [] if checkpoint is None else [("checkpoint", checkpoint)]
        return int(self._taken("/bundle", query, target.write, progress)["events"])

    def _taken(
        self, path: str, query: list[tuple[str, str]], write: Callable[[bytes], Any], progress: Progress
    ) -> dict[str, Any]:
        """A file, and what the server says of it."""
        sent = self.answered(lambda: self.connection.take(API + path, query, write, progress))
        told: dict[str, Any] = orjson.loads(unquote(sent.header(wire.TAKEN) or "{}"))
        return told

    def _told(
        self, path: str, body: bytes, kind: str, command_id: str | None, query: list[tuple[str, str]] | None = None
    ) -> Reply:  # fmt: skip
        """Under one id, however often it has to be sent."""
        identity = command_id or new_command_id()
        return self.answered(
            lambda: self.connection.send(
                "POST", path, query=query or (), body=body, kind=kind, command_id=identity
            )
        )

    def close(self) -> None:
        self.connection.close()

    # --- what comes back --------------------------------------------------------------------------------------------

    def answered(self, send: Callable[[], Reply]) -> Reply:
        """Raises Unreachable, NotSignedIn, and whatever the ledger refuses."""
        server = self.connection.address.text
        reply = send()
        refuse_foreign(reply, server)
        try:
            refuse(reply, server, had_token=self.connection.token is not None)
        except RefusedThere as refused:
            if refused.code != wire.OTHER_VERSION or self._agreed:
                raise
            self._agree(reply)
            return self.answered(send)
        self._refuse_other_version(reply)
        self._notice(reply)
        return reply

    def _agree(self, reply: Reply) -> None:
        """Says to a server of another version that its answers are those of this one. Raises Refusal where they are
        not."""
        digest = wire.answers_digest()
        if reply.header(wire.ANSWERS) != digest:
            raise self._other_version(reply)
        self._agreed = True
        self.connection.say(wire.ANSWERS, digest)

    def _refuse_other_version(self, reply: Reply) -> None:
        """For a server that does not look at the version of its clients."""
        if reply.header(wire.VERSION) != __version__ and not self._agreed:
            raise self._other_version(reply)

    def _other_version(self, reply: Reply) -> Refusal:
        theirs = (reply.header(wire.VERSION) or "")[:20]
        return Refusal(
            wire.OTHER_VERSION,
            f"This is daybook {__version__}, and the server at {self.connection.address.text} is daybook {theirs}: "
            "they do not answer alike.",
            f"Install the server's version here: pip install daybook-ledger=={theirs}",
        )

    def _notice(self, reply: Reply) -> None:
        self._user = unquote(reply.header(wire.USER) or "")
        if (until := reply.header(wire.UNTIL)) is not None:
            self._expires(until)
        if (ahead := reply.header(wire.AHEAD)) is not None:
            self._ahead(ahead)

    def read(self, types: tuple[type[Any], ...], reply: Reply) -> Any:
        """The document, without what the API puts beside it."""
        try:
            plain = reply.json()
            plain.pop("secret", None)
            if not any(field.name == "ok" for field in fields(types[0])):
                plain.pop("ok", None)
            return read(types[0], plain) if len(types) == 1 else read_any(types, plain)
        except (ValueError, TypeError, AttributeError):
            server = self.connection.address.text
            raise ServerFault(
                "unreadable-answer",
                f"What {server} answered is no answer to this.",
                "Ask who keeps the server.",
            ) from None

    def _note(self, reply: Reply) -> None:
        moment = reply.header(wire.MOMENT)
        if moment is not None and self._noted is not None:
            position, _, time = moment.partition(" ")
            self._noted(int(position), time)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """For a body: what was given, a file as text or in base64."""
    given = {name: value for name, value in parameters.items() if value is not None}
    content = given.pop("content", None)
    return given if content is None else given | _file(content)


def _file(content: bytes) -> dict[str, str]:
    try:
        return {"content": content.decode(), "encoding": "utf-8"}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"content": b64encode(content).decode(), "encoding": "base64"}
