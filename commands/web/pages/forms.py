"""Forms of which a field is wrong: the page once more, with what was typed, and what is wrong said at its field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as made

from starlette.datastructures import FormData
from starlette.responses import Response

from commands.door.command_ids import new_command_id
from commands.door.permission import NotPermitted
from commands.web.pages.visiting import WrongField
from commands.web.problems import problem_of
from ledger.errors import LedgerUnavailable, Refusal

LONGEST = 10_000
_FIELDS = {
    "wrong-credentials": "password", "weak-password": "new_password", "wrong-code": "code", "time-zone": "zone",
    "person-email": "email", "person-name": "name", "token-name": "name", "length-of-time": "length",
    "user-name": "user", "look-alike": "user", "account-exists": "user", "own-owner": "owner", "service-owner": "owner",
    "right-of-whom": "of",
}  # fmt: skip
"""Which field a refusal is about, by its code."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """``form`` is the name of the one that was sent. ``field`` is empty where it is about the whole of it."""

    form: str = ""
    field: str = ""
    message: str = ""
    typed: Mapping[str, str] = made(default_factory=dict)

    def at(self, form: str, name: str) -> str:
        """What is wrong at this field."""
        return self.message if (form, name) == (self.form, self.field) else ""

    def of(self, form: str) -> str:
        """What is wrong with all of this form."""
        return self.message if form == self.form and not self.field else ""

    def value(self, form: str, name: str, otherwise: str = "") -> str:
        """What was typed, else what stands there by itself."""
        return self.typed.get(name, "") if form == self.form else otherwise


NOTHING_WRONG = Wrong()
Show = Callable[[Wrong, int], Response]


def taken(form: FormData, name: str, take: Callable[[], Response], show: Show, *fields: str) -> Response:
    """What ``take`` gives; where it refuses what was typed, the page again. ``fields`` are those of the form that may
    be shown again."""
    try:
        return take()
    except (NotPermitted, LedgerUnavailable):
        raise
    except WrongField as wrong:
        found, message, status = wrong.field, wrong.message, 422
    except Refusal as refusal:
        problem = problem_of(refusal, doing="a form", beside=None)
        found, message = _FIELDS.get(refusal.code, ""), f"{problem.message} {problem.hint}".rstrip()
        status = problem.status
    at = found if found in form else ""
    return show(Wrong(name, at, message, {each: text_of(form, each) for each in fields}), status)


def text_of(form: FormData, name: str) -> str:
    return str(form.get(name, ""))[:LONGEST]


def given(form: FormData, *names: str) -> dict[str, str]:
    """Of these fields, those in which something stands."""
    return {name: text for name in names if (text := text_of(form, name).strip())}


def command_id(form: FormData) -> str:
    """That of the form, so that sending it twice does nothing twice."""
    return text_of(form, "command_id") or new_command_id()
