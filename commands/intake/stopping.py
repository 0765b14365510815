"""Why stage 3 stops at an entry: it waits, or it fails. Only the two signals; ``insertion`` makes events of them."""

from commands.recordings.session import SessionDirectoryError
from ledger.events import SessionWaiting


class Waits(Exception):
    """What is there is not enough, or somebody has to decide: ``event`` says which."""

    def __init__(self, event: SessionWaiting) -> None:
        super().__init__(event.message)
        self.event = event


class Fails(SessionDirectoryError):
    """The entry and what lies on disk contradict each other."""
