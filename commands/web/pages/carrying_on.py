"""A sign-in that ended in the middle of an edit: asked for in place, and what was typed goes on its way.

A form that comes without a sign-in is answered by a page that holds all of it, but for what is secret, and asks for the
password; it is sent to where the form was going, and carried out there. A request of a script gets a fragment: what was
typed has stayed on the page.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlsplit

import orjson
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from commands.accounts.sign_ins import actor_by_sign_in
from commands.accounts.two_steps import CodeNeeded, first_step, second_step, user_of_ended
from commands.web.pages.cookies import (
    INTERFACE,
    carried,
    carrying,
    end_the_one_before,
    origin_of,
    provider_name,
)
from commands.web.pages.showing import fragment, plain
from commands.web.problems import problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

OWN = "sign-in."
"""What the names of a sign-in's own fields begin with."""
_FILE = f"{OWN}file"
_SECRET = re.compile(r"(^|[_.-])(password|code|secret|again)($|[_.-])")
_LARGEST_FILE = 1 << 19  # bytes: what a hidden field may hold
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks for that signs somebody in again. ``user``: who it was that typed, where that is known; ``half``
    where the password was right and a code is to come. ``was``: who alone may go on."""

    user: str
    half: str = ""
    wrong: str = ""
    was: str = ""


def ask(serving: Serving, request: Request, form: FormData, asked: Asked | None = None, *, status: int = 401,
        headers: dict[str, str] | None = None) -> Response:  # fmt: skip
    """The page that signs in again, with what was typed."""
    if asked is None:
        asked = _asked_of(serving, request)
    kept, left_out = _kept(form)
    path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return plain(
        serving, "sign_in_again.html", "Sign in again", asked=asked, kept=kept, left_out=left_out, action=path,
        own=OWN, provider=provider_name(serving), status=status, headers=headers,
    )  # fmt: skip


def ask_script(serving: Serving, request: Request) -> Response:
    """The fragment: it stands above what was typed, which stays where it is."""
    asked = _asked_of(serving, request)
    return fragment(
        "sign_in_again_here.html",
        status=401,
        asked=asked,
        back=same_page(request),
        provider=provider_name(serving),
    )


def _asked_of(serving: Serving, request: Request) -> Asked:
    user = user_of_ended(serving.ledger, carried(serving, request)) or ""
    return Asked(user, was=user)


def same_page(request: Request) -> str:
    """Where the script runs, as it says: a path of this server."""
    parts = urlsplit(request.headers.get("hx-current-url", ""))
    return own_address(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def own_address(text: str) -> str:
    """Where to go after a sign-in: a path of this server, whatever the link said."""
    fits = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fits and "\\" not in text else "/"


def brings_sign_in(form: FormData) -> bool:
    return f"{OWN}user" in form


def resumed(
    serving: Serving, request: Request, form: FormData, send: Callable[[FormData], Response]
) -> Response:
    """Sign in with what the form brings for that, and carry out the rest of it."""
    was, user, half = (str(form.get(OWN + name, ""))[:_LONGEST] for name in ("was", "user", "half"))
    typed = without_sign_in(form)
    by_provider = form.get(f"{OWN}by") == "provider"
    if by_provider:
        actor = actor_by_sign_in(serving.ledger, carried(serving, request), "cookie", interface=INTERFACE)
        user = "" if actor is None else actor.user
    if was and user and user != was:
        asked = Asked(was, wrong=f"{was} has typed this. Sign in as {was}, or leave it.", was=was)
        return ask(serving, request, typed, asked, status=403)
    if by_provider:  # in another tab: whoever has not done that is asked again
        return send(typed)
    try:
        found = _signed_in(serving, request, form, user, half)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="sign in", beside=None)
        stays = half if refusal.code in ("wrong-code", "too-many-attempts") else ""
        asked = Asked(was or user, stays, f"{problem.message} {problem.hint}".rstrip(), was)
        return ask(serving, request, typed, asked, status=problem.status, headers=dict(problem.headers))
    if isinstance(found, CodeNeeded):
        return ask(serving, request, typed, Asked(user, found.half, was=was))
    end_the_one_before(serving, request)
    request.state.sign_in = found
    return carrying(serving, request, send(typed), found)


def _signed_in(serving: Serving, request: Request, form: FormData, user: str, half: str) -> str | CodeNeeded:
    origin = origin_of(request)
    if half:
        code = str(form.get(f"{OWN}code", ""))[:_LONGEST]
        return second_step(serving.ledger, serving.key, half, code, origin)[1]
    password = str(form.get(f"{OWN}password", ""))[:_LONGEST]
    found = first_step(serving.ledger, user, password, origin)
    return found if isinstance(found, CodeNeeded) else found[1]


def without_sign_in(form: FormData) -> FormData:
    """What was typed, as the form held it that was not let in."""
    items: list[tuple[str, str | UploadFile]] = []
    for name, value in form.multi_items():
        if name == _FILE:
            items.extend(_files(str(value)))
        elif not name.startswith(OWN):
            items.append((name, value))
    return FormData(items)


def _kept(form: FormData) -> tuple[list[tuple[str, str]], list[str]]:
    """What goes into hidden fields; and of what does not, what a person would call it."""
    kept: list[tuple[str, str]] = []
    left_out = []
    for name, value in form.multi_items():
        if name.startswith(OWN):
            continue
        if isinstance(value, UploadFile):
            if not value.filename:
                continue
            content = value.file.read(_LARGEST_FILE + 1)
            if len(content) > _LARGEST_FILE:
                left_out.append(f"the file {value.filename}")
                continue
            file = {"field": name, "filename": value.filename, "content": b64encode(content).decode()}
            kept.append((_FILE, orjson.dumps(file).decode()))
        elif _SECRET.search(name.lower()):
            left_out.append("what is secret in it")
        else:
            kept.append((name, value))
    return kept, sorted(set(left_out))


def _files(text: str) -> list[tuple[str, UploadFile]]:
    try:
        file = orjson.loads(text)
        content = BytesIO(b64decode(file["content"], validate=True))
        return [(str(file["field"]), UploadFile(content, filename=str(file["filename"])))]
    except (ValueError, KeyError, TypeError):
        return []
