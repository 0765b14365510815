"""The commands inside a command: their ids follow from its id, so that whoever repeats it finds what is done
already.
"""

from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import R, Receipt
from ledger import log
from ledger.errors import Conflict


class Steps:
    """Numbered ``ID/1``, ``ID/2`` … without a gap, as their receipts are found one after the other.

    ``repeatable``: somebody chose the id, and may have submitted steps of it before. ``spans`` are the first and the
    last position of each step.
    """

    def __init__(self, daybook: Daybook, command_id: str, *, repeatable: bool) -> None:
        self._daybook = daybook
        self.command_id = command_id
        self.repeatable = repeatable
        self.spans: list[tuple[int, int]] = []
        if repeatable:
            self._find()

    @property
    def _next(self) -> str:
        return f"{self.command_id}/{len(self.spans) + 1}"

    def submit(self, command: Command[R]) -> Receipt[R]:
        while True:
            try:
                receipt = self._daybook.submit(command.model_copy(update={"command_id": self._next}))
            except Conflict as conflict:
                if conflict.code != "command-id-reused":
                    raise
                self._find()  # another process does the same work, and took this step
                continue
            if receipt.last:
                self.spans.append((receipt.first, receipt.last))
            return receipt

    def _find(self) -> None:
        with self._daybook.reading() as world:
            while (found := log.read_receipt(world.transaction, self._next)) is not None:
                self.spans.append((found[1], found[2]))

    def done_at(self, position: int) -> bool:
        """Whether the event at a position belongs to a step."""
        return any(first <= position <= last for first, last in self.spans)

    def last_position(self, *others: int) -> int:
        """Where the ledger stood when the last step, or the last of ``others``, was done."""
        return max([*others, *(last for _, last in self.spans)], default=0)
