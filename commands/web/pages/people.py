"""People: who has an account and may do what; invitations, service accounts, policies. Admins change them; whoever may
not is told what is needed and who grants it."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.accounts.ending import EndSignIns, sign_ins_for_admin
from commands.accounts.own import SignIns
from commands.answers.accounts import AccountLine
from commands.door.permission import ROLES, admins, is_admin, require_admin, role_of
from commands.web.pages.account import told_once
from commands.web.pages.forms import NOTHING_WRONG, Wrong, command_id, given, taken, text_of
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving
from ledger import people as persons
from ledger.errors import Refusal
from ledger.outbox import newest

LENGTH_OF_TOKEN = "90d"  # noqa: S105 - how long one is good
USER, POLICIES, INVITATIONS = "/people/user", "/people/policies", "/people/invitations"
OUTBOX = "/people/outbox"
_MAILS = 200
_ON_USER = {
    "disable": ("disable-user", "The account is disabled: its sign-ins and tokens have ended."),
    "enable": ("enable-user", "The account is enabled. Tokens and invitations are made anew."),
    "role/grant": ("grant-role", "The role is granted."),
    "role/revoke": ("revoke-role", "The role is revoked."),
    "right/grant": ("grant-right", "The right is granted."),
    "right/revoke": ("revoke-right", "The right is revoked."),
    "token/revoke": ("revoke-token", "That token lets nobody in any more."),
}
_SAID = {path: said for path, (_, said) in _ON_USER.items()} | {
    "sign-ins": "Those sign-ins have ended.", "service": "The service account is there. Create a token for it.",
    "revoked": "The invitation is revoked.", "policy": "The policy holds from now on.",
}  # fmt: skip


def people(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/people", lambda visit: _everybody(visit, NOTHING_WRONG, 200))
    add_page(
        router, serving, USER, lambda visit: _user(visit, visit.query.get("name", ""), NOTHING_WRONG, 200)
    )
    add_page(router, serving, INVITATIONS, _invitations)
    add_page(router, serving, POLICIES, _policies)
    add_page(router, serving, OUTBOX, _outbox)
    for path, send in (
        ("/people/invite", _invite), ("/people/service", _add_service), (f"{INVITATIONS}/revoke", _revoke_invitation),
        (f"{USER}/reset-password", _reset("reset-password")),
        (f"{USER}/reset-second-factor", _reset("reset-second-factor")),
        (f"{USER}/token", _create_token), (f"{USER}/sign-ins/end", _end_sign_ins), (POLICIES, _set_policy),
    ):  # fmt: skip
        add_form(router, serving, path, send)
    for path, (action, _) in _ON_USER.items():
        add_form(router, serving, f"{USER}/{path}", _done_to_user(path, action))
    return router


# --- what is shown ---------------------------------------------------------------------------------------------------


def _may(visit: Visit) -> dict[str, Any]:
    """Whether the visitor is an admin; else who is one, and what the visitor has."""
    with visit.serving.daybook(visit.actor).reading() as world:
        return {
            "may": is_admin(world), "admins": admins(world), "own_role": role_of(world, visit.actor.user),
            "said": _SAID.get(visit.query.get("done", ""), ""),
        }  # fmt: skip


def _everybody(visit: Visit, wrong: Wrong, status: int) -> Response:
    found = visit.ask("users")
    names = {one.user: one.name for one in visit.ask("people").people}
    return page(
        visit, "people.html", "People", position=found.position, status=status, wrong=wrong, users=found.users,
        names=names, roles=ROLES, tab="/people", **_may(visit),
    )  # fmt: skip


def _user(visit: Visit, name: str, wrong: Wrong, status: int) -> Response:
    found = visit.ask("users")
    one = next((each for each in found.users if each.user == name), None)
    if one is None:
        raise Refusal("no-such-user", f'There is no user "{name[:100]}".', "See who is there.")
    may = _may(visit)
    with visit.serving.ledger.database.reading() as transaction:
        person = persons.find(transaction, name)
    tokens = [each for each in visit.ask("tokens", user=name).tokens if each.ended is None]
    answers_for = may["may"] or one.owner == visit.actor.user
    return page(
        visit, "user.html", name, position=found.position, status=status, wrong=wrong, one=one, roles=ROLES,
        person=person, tokens=tokens, answers_for=answers_for, tab="/people",
        sign_ins=_sign_ins(visit, one) if may["may"] else [], own=visit.actor.user, length=LENGTH_OF_TOKEN, **may,
    )  # fmt: skip


def _sign_ins(visit: Visit, one: AccountLine) -> list[Any]:
    with visit.serving.daybook(visit.actor).reading() as world:
        found: SignIns = sign_ins_for_admin(world, one.user)
    return list(found.sign_ins)


def _invitations(visit: Visit) -> Response:
    found = visit.ask("invitations")
    return page(
        visit, "invitations.html", "Invitations", position=found.position, invitations=found.invitations,
        wrong=NOTHING_WRONG, tab=INVITATIONS, **_may(visit),
    )  # fmt: skip


def _policies(visit: Visit) -> Response:
    found = visit.ask("policies")
    return page(
        visit, "policies.html", "Policies", position=found.position, found=found, roles=ROLES, wrong=NOTHING_WRONG,
        tab=POLICIES, **_may(visit),
    )  # fmt: skip


def _outbox(visit: Visit) -> Response:
    """Admins alone: it says who is written to."""
    with visit.serving.daybook(visit.actor).reading() as world:
        require_admin(world, "see the outbox")
        mails = newest(world.transaction, _MAILS)
        position = world.head.size
    return page(
        visit, "outbox.html", "Outbox", position=position, mails=mails, settings=visit.serving.settings.mail,
        wrong=NOTHING_WRONG, tab=OUTBOX, **_may(visit),
    )  # fmt: skip


# --- what is done ----------------------------------------------------------------------------------------------------


def _to_user(user: str, done: str) -> Response:
    return seen_other(USER, name=user, done=done)


def _back_to(user: str) -> tuple[str, str]:
    return f"{USER}?{urlencode({'name': user})}", user


def _invite(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        done = visit.do("invite-user", command_id=command_id(form), **given(form, "user", "role", "email"))
        answer = done.answer
        taken_over = ", ".join(f"{each.count} {each.kind}" for each in answer.takes_over)
        about = f"For {answer.user}, who joins by it{f' as {answer.role}' if answer.role else ''}."
        if taken_over:
            about += f" The account takes over what stands under that name: {taken_over}."
        if answer.superseded:
            about += " The invitation before has ended by it."
        return told_once(
            visit, f"Invitation of {answer.user}", answer.position, done.secret, about=about, until=answer.until,
            back=("/people", "People"),
        )  # fmt: skip

    return taken(
        form, "invite", take, lambda wrong, status: _everybody(visit, wrong, status), "user", "role", "email"
    )


def _add_service(visit: Visit, form: FormData) -> Response:
    def take() -> Response:
        done = visit.do("add-service-account", command_id=command_id(form), **given(form, "user", "owner"))
        return _to_user(done.answer.user, "service")

    return taken(
        form, "service", take, lambda wrong, status: _everybody(visit, wrong, status), "user", "owner"
    )


def _revoke_invitation(visit: Visit, form: FormData) -> Response:
    visit.do("revoke-invitation", command_id=command_id(form), **given(form, "user"))
    return seen_other(INVITATIONS, done="revoked")


def _done_to_user(path: str, action: str) -> Any:
    """An action about one user: back to the page of that user, which says what is so now."""

    def send(visit: Visit, form: FormData) -> Response:
        user = text_of(form, "user")
        fields = ("id",) if action == "revoke-token" else ("user", "role", "right", "of")

        def take() -> Response:
            visit.do(action, command_id=command_id(form), **given(form, *fields))
            return _to_user(user, path)

        return taken(form, path, take, lambda wrong, status: _user(visit, user, wrong, status), *fields)

    return send


def _reset(action: str) -> Any:
    def send(visit: Visit, form: FormData) -> Response:
        user = text_of(form, "user")

        def take() -> Response:
            done = visit.do(action, command_id=command_id(form), user=user)
            what = done.answer.what.replace("-", " ")
            about = f"For {user}: by this link the {what} is reset. Whoever has it gets in; hand it over yourself."
            return told_once(
                visit, f"Reset of the {what}", done.answer.position, done.secret, about=about,
                until=done.answer.until, back=_back_to(user),
            )  # fmt: skip

        return taken(form, action, take, lambda wrong, status: _user(visit, user, wrong, status))

    return send


def _create_token(visit: Visit, form: FormData) -> Response:
    user = text_of(form, "user")

    def take() -> Response:
        fields = given(form, "name", "user", "scope", "length")
        done = visit.do("create-token", command_id=command_id(form), **fields)
        return told_once(
            visit, f"Token {done.answer.name}", done.answer.position, done.secret, back=_back_to(user),
            about=f"It lets its bearer {done.answer.scope} as {user}.", until=done.answer.until,
        )  # fmt: skip

    return taken(
        form,
        "token",
        take,
        lambda wrong, status: _user(visit, user, wrong, status),
        "name",
        "scope",
        "length",
    )


def _end_sign_ins(visit: Visit, form: FormData) -> Response:
    user = text_of(form, "user")
    visit.serving.daybook(visit.actor).submit(EndSignIns(user=user, only=text_of(form, "id") or None))
    return _to_user(user, "sign-ins")


def _set_policy(visit: Visit, form: FormData) -> Response:
    """One of the three; each has a form of its own."""
    which, number = text_of(form, "policy"), command_id(form)
    if which == "authenticated-only":
        value = text_of(form, "authenticated_only") == "yes"
        visit.do("set-authentication-policy", command_id=number, authenticated_only=value)
    elif which == "own-requests":
        visit.do("set-approval-policy", command_id=number, **given(form, "own_requests"))
    else:
        required = text_of(form, "required") == "yes"
        visit.do("set-second-factor-policy", command_id=number, required=required, **given(form, "role"))
    return seen_other(POLICIES, done="policy")
