"""Names and e-mail addresses behind user names. They lie beside the log, so that they can be erased."""

from dataclasses import dataclass
from typing import TypeVar

from commands.door.actor import EVERYONE, checked_email, checked_user
from commands.door.command import Command, checked_command_id
from commands.door.permission import require_admin, require_enabled
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import people
from ledger.errors import NextStep, Refusal
from ledger.plurals import plural

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErased(Result):
    """``changed``: something was known, and is gone."""

    user: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSet(Result):
    """What is known of the user now. No receipt keeps it: the command appends nothing."""

    user: str
    name: str | None
    email: str | None
    changed: bool


P = TypeVar("P", bound=Result)


class _AboutPerson(Command[P]):
    """Users state their own name and address; an admin states those of others.

    Neither is in any event, nor in a receipt, and so they can be erased.
    """

    user: str

    def authorise(self, world: World) -> None:
        action = f"say who {self.user} is"
        if self.user == world.actor:
            require_enabled(world, action)
        else:
            require_admin(world, action)

    def known(self, world: World) -> people.Person:
        return people.find(world.transaction, self.user) or people.Person(self.user, None, None)


class SetPerson(_AboutPerson[PersonSet]):
    """What is None stays as it is."""

    name: str | None = None
    email: str | None = None

    def decide(self, world: World) -> Decision[PersonSet]:
        checked_user(self.user)
        if self.user == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give the name of one.")
        known = self.known(world)
        name = known.name if self.name is None else _checked_name(self.name)
        email = known.email if self.email is None else checked_email(self.email)
        person = people.Person(self.user, name, email)
        if person != known:
            people.write(world.transaction, person)
        return Decision((), PersonSet(user=self.user, name=name, email=email, changed=person != known))


class ErasePerson(_AboutPerson[PersonErased]):
    def decide(self, world: World) -> Decision[PersonErased]:
        known = self.known(world)
        people.write(world.transaction, people.Person(self.user, None, None))
        return Decision((), PersonErased(user=self.user, changed=bool(known.name or known.email)))


def erase_person(daybook: Daybook, user: str, *, command_id: str | None = None) -> PersonErased:
    """Erase it, also from what the database keeps of its own steps, as far as that is possible."""
    command = ErasePerson(command_id=checked_command_id(command_id), user=user)
    result = daybook.submit(command).result
    daybook.database.empty_journal()
    return result


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Refusal(
            "person-name",
            f"The name has {plural(len(name), 'character')}; it must be one line of 1 to {_LONGEST_NAME}.",
            "To remove a name",
            NextStep("erase-person", arguments={"user": None}),
        )
    return name
