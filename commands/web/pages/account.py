"""My account: what everybody does to his or her own. What is secret is shown once, in the answer that made it."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.accounts.own import change_password, end_sign_in, sign_ins
from commands.accounts.preferences import MAIL, ZONE, SetPreferences
from commands.accounts.random_text import taken_apart
from commands.accounts.second_factor import is_on, recovery_codes_left
from commands.accounts.two_steps import begin_anew
from commands.answers.accounts import tokens
from commands.door.permission import role_of
from commands.web.pages.cookies import carried, carrying, carrying_none, origin_of
from commands.web.pages.forms import NOTHING_WRONG, Show, Wrong, command_id, given, taken, text_of
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.serving import Serving
from ledger import people, preferences, secrets

_DONE = {
    "zone": "Times are shown in that zone from now on.",
    "mail": "Mail comes so from now on.",
    "address": "The address is noted.",
    "ended": "That sign-in has ended.",
    "others": "You are signed in here alone.",
    "revoked": "That token lets nobody in any more.",
    "asked": "You have asked for the role. An admin decides.",
    "password": "The password is changed, and all other sign-ins have ended.",
    "without": "Signing in takes the password alone now.",
}


def account(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/account", lambda visit: shown(visit, NOTHING_WRONG, 200))
    for path, send in (
        ("preferences", _choose), ("mail", _choose_mail), ("password", _change_password), ("address", _say_address),
        ("tokens", _create_token), ("tokens/revoke", _revoke_token), ("sign-ins/end", _end_sign_in),
        ("sign-ins/end-others", _end_others), ("role", _ask_for_role),
    ):  # fmt: skip
        add_form(router, serving, f"/account/{path}", send)
    return router


def showing(visit: Visit) -> Show:
    return lambda wrong, status: shown(visit, wrong, status)


def shown(visit: Visit, wrong: Wrong, status: int) -> Response:
    own = own_id(visit)
    with visit.serving.daybook(visit.actor).reading() as world:
        user = visit.actor.user
        known = people.find(world.transaction, user)
        values: dict[str, Any] = {
            "role": role_of(world, user),
            "second_factor": is_on(world.transaction, user),
            "recovery_codes": recovery_codes_left(world.transaction, user),
            "tokens": [each for each in tokens(world).tokens if each.ended is None],
            "sign_ins": sign_ins(world).sign_ins,
            "email": "" if known is None or known.email is None else known.email,
            "chosen": preferences.of_user(world.transaction, user),
        }
        position = world.head.size
    return page(
        visit, "account.html", "My account", position=position, wrong=wrong, status=status, own=own, zones=_zones(),
        mail_comes=visit.serving.settings.mail is not None,
        said=_DONE.get(visit.query.get("done", ""), ""), **values,
    )  # fmt: skip


def own_id(visit: Visit) -> str:
    """The public id of the sign-in that the visit came by."""
    found = taken_apart(carried(visit.serving, visit.request), secrets.SIGN_IN)
    return "" if found is None else found.id


@cache
def _zones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def _done(what: str) -> Response:
    return seen_other("/account", done=what)


def _choose(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        daybook = visit.serving.daybook(visit.actor)
        daybook.submit(SetPreferences(user=visit.actor.user, zone=text_of(form, ZONE)))
        return _done("zone")

    return taken(form, "preferences", take, showing(visit), ZONE)


def _choose_mail(visit: Visit, form: FormData) -> Response:
    """A box that is not ticked is not sent."""
    mail: Any = {name: "on" if text_of(form, name) else "off" for name in MAIL}
    visit.serving.daybook(visit.actor).submit(SetPreferences(user=visit.actor.user, mail=mail))
    return _done("mail")


def new_password(form: FormData) -> str:
    """The one that was typed twice. Raises WrongField."""
    chosen = text_of(form, "new_password")
    if text_of(form, "again") != chosen:
        raise WrongField("again", "The two are not the same. Type the new password twice.")
    return chosen


def _change_password(visit: Visit, form: FormData) -> Response:
    """All sign-ins end by it; this one is begun anew."""

    def take() -> Response:
        serving, origin = visit.serving, origin_of(visit.request)
        chosen = new_password(form)
        change_password(serving.daybook(visit.actor), text_of(form, "password"), chosen, origin)
        _, secret = begin_anew(serving.ledger, visit.actor.user, visit.actor.authentication, origin)
        return carrying(serving, visit.request, _done("password"), secret)

    return taken(form, "password", take, showing(visit))


def _say_address(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        if email := given(form, "email"):
            visit.do("set-person", command_id=None, user=visit.actor.user, **email)
        else:
            _forget_address(visit)
        return _done("address")

    return taken(form, "address", take, showing(visit), "email")


def _forget_address(visit: Visit) -> None:
    """The name, where there is one, stays."""
    user = visit.actor.user
    with visit.serving.ledger.database.reading() as transaction:
        known = people.find(transaction, user)
    visit.do("erase-person", command_id=None, user=user)
    if known is not None and known.name:
        visit.do("set-person", command_id=None, user=user, name=known.name)


def _create_token(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        done = visit.do("create-token", command_id=command_id(form), **given(form, "name", "scope", "length"))
        return told_once(
            visit, f"Token {done.answer.name}", done.answer.position, done.secret,
            about=f"It lets its bearer {done.answer.scope} as {done.answer.user}.", until=done.answer.until,
            back=("/account", "My account"),
        )  # fmt: skip

    return taken(form, "token", take, showing(visit), "name", "scope", "length")


def told_once(
    visit: Visit, title: str, position: int, secret: Any, *, about: str, until: str, back: tuple[str, str]
) -> Response:
    """What is shown this once; or that it was."""
    return page(
        visit, "told_once.html", title, position=position, secret=secret, about=about, until=until, back=back
    )


def _revoke_token(visit: Visit, form: FormData) -> Response:
    visit.do("revoke-token", command_id=command_id(form), id=text_of(form, "id"))
    return _done("revoked")


def _end_sign_in(visit: Visit, form: FormData) -> Response:
    wanted = text_of(form, "id")
    is_own = wanted == own_id(visit)
    end_sign_in(visit.serving.daybook(visit.actor), wanted)
    return carrying_none(visit.serving, seen_other("/sign-in")) if is_own else _done("ended")


def _end_others(visit: Visit, _form: FormData) -> Response:
    daybook = visit.serving.daybook(visit.actor)
    with daybook.reading() as world:
        others = [each.id for each in sign_ins(world).sign_ins if each.id != own_id(visit)]
    for each in others:
        end_sign_in(daybook, each)
    return _done("others")


def _ask_for_role(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        visit.do("request-role", command_id=command_id(form), **given(form, "role", "reason"))
        return _done("asked")

    return taken(form, "role", take, showing(visit), "role", "reason")
