"""What a service account may do besides its role: settle anybody's entries, act on behalf of a user."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.accounts.rights import GrantRight, RevokeRight, Right
from commands.accounts.standing import AddServiceAccount, DisableUser
from commands.door.actor import Actor
from commands.door.permission import NotPermitted
from commands.door.submit import Daybook
from commands.intake.completion import annotate
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import take_in, upload
from commands.intake.working import work
from commands.lab.roles import GrantRole, RevokeRole
from ledger.errors import NextStep, Refusal
from tests.cli.conftest import Run
from tests.intake.conftest import lab
from tests.intake.lab import Lab, document, number, session

__all__ = ["lab"]

RIG, OWNER = "rig_1", "user_2"


@pytest.fixture
def rig(lab: Lab) -> Iterator[Lab]:
    """A lab with a rig that has no right yet; one session lies on its disk."""
    lab.daybook.submit(AddServiceAccount(user=RIG))
    lab.record("a")
    yield lab


def allow(lab: Lab, right: Right, of: str | None = None) -> None:
    lab.daybook.submit(GrantRight(user=RIG, right=right, of=of))


def as_rig(lab: Lab, for_: str | None = None) -> Daybook:
    return Daybook(
        lab.daybook.ledger, Actor(RIG, "api", authentication="token", token="t1", on_behalf_of=for_)
    )


def uploaded(lab: Lab, daybook: Daybook) -> UploadReport:
    return upload(daybook, document(session("a")), filename="12345.yml", roots=lab.roots)


# --- on behalf of a user ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "user\0_2", "user\n2", "x" * 256])
def test_nobody_acts_on_behalf_of_what_is_no_name(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        Actor(RIG, "api", authentication="token", token="t1", on_behalf_of=name)

    assert caught.value.code == "user-name"


def test_what_a_rig_uploads_on_behalf_of_a_user_is_the_users_and_each_event_names_both(rig: Lab) -> None:
    allow(rig, "on-behalf-of", OWNER)
    before = rig.size()

    report = uploaded(rig, as_rig(rig, OWNER))

    assert (report.ok, report.username) == (True, OWNER)
    events = rig.events(before)
    assert {(event.actor, event.username) for event in events} == {(RIG, OWNER)}
    assert all('"token":"t1","on_behalf_of":"user_2"' in event.via for event in events)
    annotate(rig.as_user(OWNER), number(report.sessions[0]), roots=rig.roots, notes="hers")


def test_without_the_right_nobody_acts_on_behalf_of_anybody_and_it_is_told_who_grants_it(rig: Lab) -> None:
    allow(rig, "on-behalf-of", "user_3")

    with pytest.raises(NotPermitted) as caught:
        uploaded(rig, as_rig(rig, OWNER))

    refusal = caught.value
    assert (
        "rig_1 may not act on behalf of user_2. This needs the right on-behalf-of user_2" in refusal.message
    )
    arguments = {"user": RIG, "right": "on-behalf-of", "of": OWNER}
    assert (refusal.hint, refusal.steps) == (
        "user_1 can grant it",
        (NextStep("grant-right", arguments=arguments),),
    )
    assert rig.types()[-1] == "ActionRefused"


def test_a_right_that_was_taken_or_an_account_that_was_disabled_ends_it_at_once(rig: Lab) -> None:
    allow(rig, "on-behalf-of", OWNER)
    rig.daybook.submit(RevokeRight(user=RIG, right="on-behalf-of", of=OWNER))
    with pytest.raises(NotPermitted):
        uploaded(rig, as_rig(rig, OWNER))

    allow(rig, "on-behalf-of", OWNER)
    rig.daybook.submit(DisableUser(user=RIG))
    with pytest.raises(NotPermitted, match="disabled"):
        uploaded(rig, as_rig(rig, OWNER))


@pytest.mark.parametrize("lacking", [RIG, OWNER])
def test_both_the_account_and_the_user_must_be_permitted(rig: Lab, lacking: str) -> None:
    allow(rig, "on-behalf-of", OWNER)
    rig.daybook.submit(GrantRole.model_validate({"user": lacking, "role": "auditor"}))

    with pytest.raises(NotPermitted, match=f"{lacking} has the role auditor"):
        uploaded(rig, as_rig(rig, OWNER))


def test_an_admins_rig_is_no_admin_by_that(rig: Lab) -> None:
    allow(rig, "on-behalf-of", "user_1")

    with pytest.raises(NotPermitted, match="rig_1 has the role researcher"):
        as_rig(rig, "user_1").submit(GrantRole(user="user_9", role="admin"))


def test_a_rig_for_a_user_may_not_touch_what_another_user_owns_nor_what_the_rig_owns_itself(rig: Lab) -> None:
    allow(rig, "on-behalf-of", OWNER)
    own = number(uploaded(rig, as_rig(rig)).sessions[0])

    with pytest.raises(NotPermitted, match="rig_1, who uploaded it"):
        annotate(as_rig(rig, OWNER), own, roots=rig.roots, notes="x")


def test_the_same_command_id_on_behalf_of_somebody_else_is_another_command(rig: Lab) -> None:
    for user in (OWNER, "user_3"):
        allow(rig, "on-behalf-of", user)
    take_in(as_rig(rig, OWNER), document(session("a")), filename="a.yml", roots=rig.roots, command_id="once")

    with pytest.raises(Refusal) as caught:
        take_in(
            as_rig(rig, "user_3"),
            document(session("a")),
            filename="a.yml",
            roots=rig.roots,
            command_id="once",
        )

    assert caught.value.code == "command-id-reused"


# --- the right to work --------------------------------------------------------------------------------------


def status(lab: Lab, session: int) -> str:
    with lab.daybook.reading() as world:
        return world.state.sessions[session].status


def pending(lab: Lab, user: str) -> int:
    report = take_in(lab.as_user(user), document(session("a")), filename="12345.yml", roots=lab.roots)
    return number(report.sessions[0])


def test_an_account_with_the_right_to_work_settles_anybodys_entries(rig: Lab) -> None:
    allow(rig, "work")
    record = pending(rig, OWNER)
    before = rig.size()

    done = work(as_rig(rig), rig.roots)

    assert status(rig, record) == "inserted" and done.waiting == 0
    assert {(event.actor, event.username) for event in rig.events(before)} == {(RIG, OWNER)}


def test_the_right_to_work_lets_nothing_else_be_done_with_them(rig: Lab) -> None:
    allow(rig, "work")
    record = pending(rig, OWNER)
    work(as_rig(rig), rig.roots)

    with pytest.raises(NotPermitted, match=f"{OWNER}, who uploaded it"):
        annotate(as_rig(rig), record, roots=rig.roots, notes="x")


def test_without_the_right_a_rig_works_on_what_is_its_own(rig: Lab) -> None:
    record = pending(rig, OWNER)

    assert work(as_rig(rig), rig.roots).looked_at == 0
    assert status(rig, record) == "pending"


def test_an_auditors_rig_with_the_right_to_work_may_work_and_not_upload(rig: Lab) -> None:
    allow(rig, "work")
    rig.daybook.submit(GrantRole(user=RIG, role="auditor"))
    record = pending(rig, OWNER)

    work(as_rig(rig), rig.roots)

    assert status(rig, record) == "inserted"
    with pytest.raises(NotPermitted):
        uploaded(rig, as_rig(rig))


# --- granting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "right", "of", "code"),
    [
        (RIG, "work", OWNER, "right-of-whom"),
        (RIG, "on-behalf-of", None, "right-of-whom"),
        (RIG, "on-behalf-of", RIG, "right-of-whom"),
        (RIG, "on-behalf-of", "everyone", "right-of-whom"),
        ("user_1", "work", None, "not-a-service-account"),
        ("user_99", "work", None, "no-such-user"),
    ],
)
def test_a_right_that_cannot_be_is_refused(
    rig: Lab, user: str, right: Right, of: str | None, code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        rig.daybook.submit(GrantRight(user=user, right=right, of=of))

    assert caught.value.code == code


def test_granting_and_taking_twice_appends_nothing_the_second_time(rig: Lab) -> None:
    for command, changed in ((GrantRight, [True, False]), (RevokeRight, [True, False])):
        done = [rig.daybook.submit(command(user=RIG, right="work")).result.changed for _ in range(2)]
        assert done == changed

    assert [kind for kind in rig.types() if kind.startswith("Right")] == ["RightGranted", "RightRevoked"]


def test_rights_from_the_command_line_and_what_the_log_says_of_them(run: Run, folder: Path) -> None:
    assert run("user", "add", RIG, "--service").exit == 0

    said = [
        run("user", "allow", RIG, "work").out,
        run("user", "allow", RIG, "on-behalf-of", OWNER).out,
        run("user", "allow", RIG, "on-behalf-of", OWNER).out,
        run("user", "forbid", RIG, "work").out,
        run("user", "forbid", RIG, "work").out,
    ]

    assert said == [
        "rig_1 may settle anybody's entries.\n",
        "rig_1 may act on behalf of user_2.\n",
        "rig_1 may already act on behalf of user_2: nothing to do.\n",
        "rig_1 may no longer settle anybody's entries.\n",
        "rig_1 may not settle anybody's entries: nothing to do.\n",
    ]
    (line,) = [one for one in run("user", "list", "--json").json["users"] if one["user"] == RIG]
    assert line["rights"] == ["on-behalf-of user_2"]
    assert run("subject", "add", "999", "--on-behalf-of", OWNER, user=RIG).exit == 0
    log = run("log", "--type", "SubjectRegistered").out
    assert "rig_1" in log and "claimed, for user_2" in log
    refused = run("subject", "add", "998", "--on-behalf-of", "user_3", user=RIG)
    assert (refused.exit, "daybook user allow rig_1 on-behalf-of user_3" in refused.err) == (4, True)


def test_everyones_role_is_asked_for_the_user_too(rig: Lab) -> None:
    allow(rig, "on-behalf-of", OWNER)
    rig.daybook.submit(GrantRole(user=RIG, role="researcher"))
    rig.daybook.submit(RevokeRole(user="everyone", role="researcher"))

    with pytest.raises(NotPermitted, match="user_2 has no role"):
        uploaded(rig, as_rig(rig, OWNER))


def test_who_acts_on_behalf_of_a_user_may_do_no_more_of_the_work_than_that_user(rig: Lab) -> None:
    allow(rig, "work")
    allow(rig, "on-behalf-of", "user_3")
    record = pending(rig, OWNER)

    assert work(as_rig(rig, "user_3"), rig.roots).looked_at == 0
    assert status(rig, record) == "pending"
