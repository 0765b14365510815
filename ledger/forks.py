"""Things that live as long as the application are made anew in a child process that was forked from it."""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    def renew_in_child(self) -> None:
        """Forget connections and locks: they are the parent's."""


_living: "WeakSet[Renewable]" = WeakSet()


def renewed_when_forked(thing: Renewable) -> None:
    _living.add(thing)


def _renew() -> None:
    for thing in list(_living):
        thing.renew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
