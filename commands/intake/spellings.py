"""How a new name is spelled: as the ledger has it already, else in Unicode's NFC without blanks at its ends; never
so that it only looks like another. Reads the ledger.
"""

from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from commands.door.world import World
from commands.recordings.disk import shown
from ledger.errors import Refusal
from ledger.look_alikes import comparable, difference, folded
from projections.rows import State

_THERE: WeakKeyDictionary[State, dict[str, dict[str, str]]] = WeakKeyDictionary()
"""The names that are there, and those that commands add, by their folded form. Rows are kept from one command to the
next, and so are these; what takes a name away has them forgotten."""


def spelled(world: World, where: str, name: str, names: Callable[[], Iterable[str]]) -> str:
    """``where`` is what the name belongs to (``reference.Probe``, ``the subjects``), ``names`` those that are there.

    Raises Refusal where there is one that differs only in capitals, in kinds of blanks and dashes, or in invisible
    signs: nobody could tell the two apart.
    """
    kinds = _THERE.setdefault(world.state, {})
    if where not in kinds:
        kinds[where] = {folded(each): each for each in names()}
    there = kinds[where].setdefault(folded(name), comparable(name))
    return _as_there(where, name, there)


def spelled_beside(where: str, name: str, names: Iterable[str]) -> str:
    """The same beside these names alone, which are not remembered."""
    alike = (each for each in names if folded(each) == folded(name))
    return _as_there(where, name, next(alike, comparable(name)))


def forget_spellings(world: World, where: str) -> None:
    """Before names go, or come without having been looked at here: the next command reads them anew."""
    _THERE.get(world.state, {}).pop(where, None)


def _as_there(where: str, name: str, there: str) -> str:
    if comparable(there) == comparable(name):
        return there
    raise Refusal(
        "look-alike",
        f'"{shown_name(name)}" looks like "{shown_name(there)}", which is among {where} already.',
        f"Use that one, or take another name. {difference(name, there)}".rstrip(),
    )


def shown_name(name: str) -> str:
    return shown(name[:60])
