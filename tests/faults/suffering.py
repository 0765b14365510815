"""One ledger that suffers one fault after the other, and what has to hold after each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.subjects import RegisterSubject
from commands.proving.checkpoints import make_checkpoint
from ledger.verify import verify
from projections.rebuild import contents, rebuild

ACTOR = Actor("user_1")
COUNTED = "SELECT count(*), min(position), max(position) FROM events"
TWICE = "SELECT stream FROM events WHERE type = 'SubjectRegistered' GROUP BY stream HAVING count(*) > 1"


@dataclass
class Suffering:
    """``acknowledged`` are the ids of commands to the position that their receipt told; ``sent`` all that were sent.
    ``kept`` is the newest checkpoint, out of the ledger's reach."""

    url: str
    folder: Path
    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    kept: str | None = None
    number: int = 0

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def command(self, name: str) -> RegisterSubject:
        """The command's id is the subject's name: a name that is there twice was registered by one command twice."""
        return RegisterSubject(name=name, command_id=name)

    def names(self, count: int) -> list[str]:
        """Ids of commands to send, of which each is told in the end."""
        self.number += 1
        made = [f"{self.number}-{at}" for at in range(count)]
        self.sent += made
        return made

    @contextmanager
    def opened(self) -> Iterator[Daybook]:
        daybook = Daybook.open(self.url, ACTOR)
        try:
            yield daybook
        finally:
            daybook.close()

    def holds(self) -> None:
        """No acknowledged event lost, none twice, no gap, every list equal to a rebuild, and the ledger continues the
        checkpoint that was kept before. What was sent and not acknowledged is sent again."""
        with self.opened() as daybook:
            for name in self.sent:
                receipt = daybook.submit(self.command(name))
                if name in self.acknowledged:
                    assert receipt.repeated, f"{name} was acknowledged, and is gone"
                    assert receipt.first == self.acknowledged[name], f"{name} is at another position by now"
                self.acknowledged[name] = receipt.first
            self.sent.clear()
            with daybook.reading() as world:
                run = world.transaction.run
                receipts = dict(run("SELECT command_id, first_position FROM receipts").fetchall())
                count, first, last = run(COUNTED).fetchone()
                twice = run(TWICE).fetchall()
                lists = contents(world.transaction, world.head.live_slot)
                assert (first, last) == (1, count) and world.head.size == count, "there is a gap"
            lost = {name for name, at in self.acknowledged.items() if receipts.get(name) != at}
            assert not lost, f"receipts of {sorted(lost)[:5]} are gone"
            assert not twice, f"{twice[:5]} were registered twice"
            rebuild(daybook.database)
            with daybook.reading() as world:
                assert contents(world.transaction, world.head.live_slot) == lists, (
                    "a rebuild gives other lists"
                )
            report = verify(self.url, kept=[self.kept] if self.kept else [])
            assert report.problems == [], report.problems
            self.kept = make_checkpoint(daybook, self.folder / "daybook.key")
