"""A second factor of one's own: told to an app by a picture, confirmed by a code, given up. Recovery codes are shown
once."""

from fastapi import APIRouter
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.accounts.second_factor import RemoveSecondFactor, confirm, is_on, set_up
from commands.accounts.sign_ins import forgive, prove_password
from commands.accounts.two_steps import begin_anew
from commands.door.actor import SECOND_FACTOR
from commands.door.permission import needs_second_factor, role_of
from commands.web.pages.cookies import carrying, origin_of
from commands.web.pages.forms import NOTHING_WRONG, Wrong, taken, text_of
from commands.web.pages.routes import SET_UP, add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving


def second_factor(serving: Serving) -> APIRouter:
    """Also for whoever needs one and has none: ``enough`` is False."""
    router = APIRouter()
    add_page(router, serving, SET_UP, lambda visit: _shown(visit, NOTHING_WRONG, 200), enough=False)
    add_form(router, serving, SET_UP, _begun, enough=False)
    add_form(router, serving, f"{SET_UP}/confirmation", _confirmed, enough=False)
    add_form(router, serving, f"{SET_UP}/removal", _removed)
    return router


def _shown(visit: Visit, wrong: Wrong, status: int) -> Response:
    with visit.serving.daybook(visit.actor).reading() as world:
        user, position = visit.actor.user, world.head.size
        there, needed = is_on(world.transaction, user), needs_second_factor(world, user)
        role = role_of(world, user)
    return page(
        visit, "second_factor.html", "Second factor", position=position, status=status, wrong=wrong, there=there,
        needed=needed, role=role,
    )  # fmt: skip


def _begun(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        _prove(visit, form)
        with visit.serving.daybook(visit.actor).reading() as world:
            position, lab = world.head.size, world.head.origin
        told = set_up(visit.serving.ledger, visit.serving.key, visit.actor.user, lab=lab)
        picture = Markup(told.svg)  # noqa: S704 - made here, of an address that is escaped in it
        groups = [told.secret[start : start + 4] for start in range(0, len(told.secret), 4)]
        return page(
            visit, "second_factor_picture.html", "Second factor", position=position, wrong=NOTHING_WRONG,
            picture=picture, groups=groups,
        )  # fmt: skip

    return taken(form, "begin", take, lambda wrong, status: _shown(visit, wrong, status))


def _confirmed(visit: Visit, form: FormData) -> Response:
    """All sign-ins end by it; this one is begun anew, by the second factor."""

    def take() -> Response:
        serving, user = visit.serving, visit.actor.user
        codes = confirm(serving.daybook(visit.actor), serving.key, text_of(form, "code"))
        signed, secret = begin_anew(serving.ledger, user, SECOND_FACTOR, origin_of(visit.request))
        shown = page(visit, "recovery_codes.html", "Recovery codes", position=signed.position, codes=codes)
        return carrying(serving, visit.request, shown, secret)

    return taken(form, "confirm", take, lambda wrong, status: _asked_again(visit, wrong, status))


def _asked_again(visit: Visit, wrong: Wrong, status: int) -> Response:
    """For the code, without the picture: that is shown to who has just given the password."""
    with visit.serving.daybook(visit.actor).reading() as world:
        position = world.head.size
    return page(
        visit, "second_factor_picture.html", "Second factor", position=position, status=status, wrong=wrong,
        picture=None, groups=[],
    )  # fmt: skip


def _removed(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        _prove(visit, form)
        visit.serving.daybook(visit.actor).submit(RemoveSecondFactor(user=visit.actor.user))
        return seen_other("/account", done="without")

    return taken(form, "remove", take, lambda wrong, status: _shown(visit, wrong, status))


def _prove(visit: Visit, form: FormData) -> None:
    ledger = visit.serving.ledger
    forgive(
        ledger, prove_password(ledger, visit.actor.user, text_of(form, "password"), origin_of(visit.request))
    )
