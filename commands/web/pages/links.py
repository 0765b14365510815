"""Pages behind the links of invitations and resets: plain forms, without scripts. They hold no secret but what stands
in the address already."""

from collections.abc import Callable
from dataclasses import dataclass

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from commands.accounts.codes import good
from commands.accounts.random_text import FACTOR_PREFIX
from commands.accounts.sign_ins import accept, reset
from commands.web.pages.cookies import carrying, end_the_one_before, origin_of
from commands.web.pages.routes import is_own
from commands.web.pages.showing import plain
from commands.web.problems import problem_of
from commands.web.serving import Serving
from ledger import secrets
from ledger.errors import Refusal

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    autocomplete: str


@dataclass(frozen=True, slots=True)
class Form:
    button: str
    fields: tuple[Field, ...]


_NEW = (
    Field("password", "Password, of 12 characters at least", "new-password"),
    Field("again", "The same once more", "new-password"),
)
_JOIN, _RENEW = Form("Join", _NEW), Form("Change the password", _NEW)
_GIVE_UP = Form("Take the second factor away", (Field("password", "Your password", "current-password"),))


def links(serving: Serving) -> APIRouter:
    router = APIRouter()
    for path, page in (("/accept/{code}", _accepting), ("/reset/{code}", _resetting)):
        router.add_api_route(path, _shown(serving, page), methods=["GET"])
        router.add_api_route(path, _sent(serving, page), methods=["POST"])
    return router


@dataclass(frozen=True, slots=True)
class _Page:
    """``kind`` is that of the code; ``submit`` does it and says what was done."""

    title: str
    kind: str
    form: Form
    submit: Callable[[Serving, Request, str, str], list[str] | Response]


def _accepting(_code: str) -> _Page:
    def join(serving: Serving, request: Request, code: str, password: str) -> Response:
        """Who has joined is signed in."""
        found, secret = accept(serving.ledger, code, password, origin_of(request))
        end_the_one_before(serving, request)
        request.state.actor = found.user
        return carrying(serving, request, RedirectResponse("/", 303), secret)

    return _Page("You are invited", secrets.INVITATION, _JOIN, join)


def _resetting(code: str) -> _Page:
    def change(serving: Serving, request: Request, code: str, password: str) -> list[str]:
        done = reset(serving.ledger, code, password, origin_of(request))
        tokens = (
            f"Tokens that are still good: {done.tokens}. Revoke those that you do not know."
            if done.tokens
            else ""
        )
        said = f"The {done.what.replace('-', ' ')} of {done.user} was reset, and all sign-ins have ended."
        return [line for line in (said, tokens, "Sign in again.") if line]

    if code.startswith(FACTOR_PREFIX):
        return _Page("A second factor that is lost", secrets.FACTOR_RESET, _GIVE_UP, change)
    return _Page("A new password", secrets.PASSWORD_RESET, _RENEW, change)


def _shown(serving: Serving, page_of: Callable[[str], _Page]) -> Callable[..., Response]:
    def shown(code: str) -> Response:
        page = page_of(code)
        try:
            user = _user_of(serving, page, code)
        except Refusal as refusal:
            return _rendered(serving, page.title, wrong=_sentence(refusal), status=404)
        return _rendered(serving, page.title, lines=[f"For the user {user}."], form=page.form)

    return shown


def _sent(serving: Serving, page_of: Callable[[str], _Page]) -> Callable[..., object]:
    async def sent(request: Request, code: str) -> Response:
        page = page_of(code)
        if not is_own(request, serving.public_url):
            wrong = "The form was sent from another page. Open the link again, and send it from there."
            return await run_sync(lambda: _rendered(serving, page.title, wrong=wrong, status=403))
        async with request.form(max_files=0, max_fields=4) as form:
            given = {field.name: str(form.get(field.name, ""))[:_LONGEST] for field in page.form.fields}
        return await run_sync(_answered, serving, request, page, code, given)

    return sent


def _answered(serving: Serving, request: Request, page: _Page, code: str, given: dict[str, str]) -> Response:
    try:
        user = _user_of(serving, page, code)
    except Refusal as refusal:
        return _rendered(serving, page.title, wrong=_sentence(refusal), status=404)
    lines = [f"For the user {user}."]
    if "again" in given and given["again"] != given["password"]:
        wrong = "The two are not the same. Type the password twice."
        return _rendered(serving, page.title, lines=lines, form=page.form, wrong=wrong, status=422)
    try:
        done = page.submit(serving, request, code, given["password"])
    except Refusal as refusal:
        problem = problem_of(refusal, doing="a page", beside=None)
        return _rendered(
            serving, page.title, lines=lines, form=page.form, wrong=_sentence(refusal), status=problem.status,
            headers=dict(problem.headers),
        )  # fmt: skip
    if isinstance(done, Response):
        return done
    return _rendered(serving, page.title, lines=done)


def _user_of(serving: Serving, page: _Page, code: str) -> str:
    with serving.ledger.database.reading() as transaction:
        return good(transaction, code, page.kind).username


def _rendered(
    serving: Serving, title: str, *, lines: list[str] | None = None, form: Form | None = None, wrong: str = "",
    status: int = 200, headers: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    return plain(
        serving, "link.html", title, lines=lines or [], form=form, wrong=wrong, status=status, headers=headers
    )


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.message} {refusal.hint}".rstrip()
