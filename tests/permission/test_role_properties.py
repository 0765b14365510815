"""Any users granting and revoking any roles: there is always an admin, and everybody's role is that of a small model."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.actor import EVERYONE, Actor
from commands.door.permission import ADMIN, ROLES, NotPermitted, role_of
from commands.door.submit import Daybook
from commands.lab.roles import GrantRole, RevokeRole
from ledger.errors import Refusal
from ledger.verify import verify
from projections.rebuild import rebuild

USERS = ("user_1", "user_2", "user_3")
Step = tuple[str, bool, str, str]
"""Who acts, whether to grant, to whom, which role."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(USERS), st.booleans(), st.sampled_from((*USERS, EVERYONE)), st.sampled_from(ROLES)
    ),
    max_size=25,
)


class Model:
    """What the rules say, in as few lines as they take."""

    def __init__(self) -> None:
        self.granted = {"user_1": ADMIN, EVERYONE: "researcher"}

    def role(self, user: str) -> str:
        return self.granted.get(user) or self.granted.get(EVERYONE, "")

    def step(self, step: Step) -> str:
        """How it ends: done, not-permitted, or refused."""
        actor, grants, user, role = step
        if self.role(actor) != ADMIN:
            return "not-permitted"
        has = self.granted.get(user)
        if (grants and (user, role) == (EVERYONE, ADMIN)) or (not grants and has not in ("", role)):
            return "refused"
        if self._is_last_admin(user) and (not grants or role != ADMIN):
            return "refused"
        self.granted[user] = role if grants else ""
        return "done"

    def _is_last_admin(self, user: str) -> bool:
        return [name for name, role in self.granted.items() if role == ADMIN] == [user]


def carried_out(daybooks: dict[str, Daybook], step: Step) -> str:
    actor, grants, user, role = step
    kind = GrantRole if grants else RevokeRole
    try:
        daybooks[actor].submit(kind.model_validate({"user": user, "role": role}))
    except NotPermitted:
        return "not-permitted"
    except Refusal:
        return "refused"
    return "done"


def roles(daybook: Daybook) -> dict[str, str]:
    with daybook.reading() as world:
        return {user: role_of(world, user) for user in (*USERS, EVERYONE, "user_4")}


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 20), ("postgresql", 6)])
def test_roles_are_those_of_the_model_and_an_admin_is_left(
    kind: str, examples: int, ledger_templates: Callable[[str, Path], str]
) -> None:
    @settings(max_examples=examples)
    @given(STEPS)
    def run(steps: list[Step]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            url = ledger_templates(kind, Path(folder))
            daybooks = {user: Daybook.open(url, Actor(user)) for user in USERS}
            model = Model()
            for step in steps:
                assert carried_out(daybooks, step) == model.step(step)
                assert ADMIN in roles(daybooks["user_2"]).values()
            expected = {user: model.role(user) for user in (*USERS, EVERYONE, "user_4")}
            assert roles(daybooks["user_3"]) == expected
            rebuild(daybooks["user_1"].database)
            assert roles(daybooks["user_3"]) == expected
            for daybook in daybooks.values():
                daybook.close()
            assert verify(url).problems == []

    run()
