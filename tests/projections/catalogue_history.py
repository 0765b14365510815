"""The ground of the random histories: how a step is drawn and told, and what a lab registers before it uploads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ledger.envelope import NewEvent
from ledger.events import (
    Body,
    ProbeInserted,
    ProbeInsertionMended,
    ProbeInsertionTakenBack,
    ProbeRemoved,
    ReferenceValueAdded,
    ReferenceValueRetired,
    ReferenceValueTakenBack,
    SubjectRegistered,
    SubjectTakenBack,
)
from tests.projections.choices import Choices

T = TypeVar("T")
USERS = ("user_1", "user_2")
SUBJECTS = ("12345", "6", "Überfluß 中")
PROBES = ("npx_1", "npx_2")
TABLES = ("reference.Experimenter", "reference.ExperimentRoom")


@dataclass(frozen=True)
class Step:
    """What one command appends: who, under which correlation, the events, and the input files whose bytes are kept with
    them; then what a redaction removes, positions and sha256."""

    actor: str
    correlation: str
    events: list[NewEvent]
    kept: list[bytes]
    redacted: list[int]
    erased: list[str]
    is_for_admins: bool = False


class CatalogueHistory:
    """Legal steps behind position ``size``; ``registered`` etc. say what has come of the steps so far.

    ``prefix`` begins the names of all that is unique: several histories can follow each other in one ledger.
    """

    def __init__(self, choices: Choices, size: int, prefix: str = "") -> None:
        self.choices = choices
        self.position = size
        self.subjects = [prefix + name for name in SUBJECTS]
        self.tables = [prefix + name for name in TABLES]
        self.versions: dict[str, int] = {}
        self.registered: list[str] = []
        self.inserted: dict[tuple[str, str], bool] = {}
        self.values: dict[tuple[str, str], bool] = {}
        self._events: list[NewEvent] = []
        self._files: list[bytes] = []
        self._redacted: list[int] = []
        self._erased: list[str] = []

    def step(self) -> Step:
        """The next command's events; there is always one that is legal."""
        actions = self._always()
        for action, possible in self._possibly():
            if possible:
                actions += [action, action]
        self._events, self._files, self._redacted, self._erased = [], [], [], []
        correlation = self.choices.choose(actions)()
        actor = self.choices.choose(USERS)
        return Step(actor, correlation, self._events, self._files, self._redacted, self._erased)

    def _always(self) -> list[Callable[[], str]]:
        """What can happen at any time."""
        return [self._add_value]

    def _possibly(self) -> list[tuple[Callable[[], str], Any]]:
        """What can happen where there is something that it can happen to."""
        return [
            (self._register, len(self.registered) < len(self.subjects)),
            (self._insert_probe, self.registered),
            (self._remove_probe, any(self.inserted.values())),
            (self._retire_value, any(self.values.values())),
            (self._mend_something, self.inserted and self.values),
        ]

    def _emit(
        self,
        stream: str,
        body: Body,
        subject: str = "",
        username: str = "",
        causation: int = 0,
        *,
        correlation: str = "",
    ) -> int:
        """Returns the event's position. ``correlation`` is the step's where it is not given."""
        expected: int | None = self.versions.get(stream, 0)
        if stream == "ledger" or stream.startswith("user/"):  # older than this history
            expected = None
        self.versions[stream] = self.versions.get(stream, 0) + 1
        self._events.append(NewEvent(stream, body, expected, subject, username, causation, correlation))
        self.position += 1
        return self.position

    def _maybe(self, value: T) -> T | None:
        return value if self.choices.number(0, 1) else None

    # --- subjects and reference values

    def _register(self) -> str:
        name = self.choices.choose([name for name in self.subjects if f"0/{name}" not in self.registered])
        self._emit(f"subject/0/{name}", SubjectRegistered(datasource_id=0, name=name), f"0/{name}")
        self.registered.append(f"0/{name}")
        return ""

    def _insert_probe(self) -> str:
        key = (self.choices.choose(self.registered), self.choices.choose(PROBES))
        time = f"2023-03-01 00:00:{self.choices.number(0, 59):02}"
        self._emit(f"subject/{key[0]}", ProbeInserted(probe=key[1], insertion_time=time), key[0])
        self.inserted[key] = True
        return ""

    def _remove_probe(self) -> str:
        key = self.choices.choose([key for key, there in self.inserted.items() if there])
        self._emit(
            f"subject/{key[0]}", ProbeRemoved(probe=key[1], removal_time="2024-01-01 00:00:00"), key[0]
        )
        self.inserted[key] = False
        return ""

    def _mend_something(self) -> str:
        steps = [self._mend_insertion, self._take_insertion_back, self._take_value_back]
        if len(self.registered) > 1:
            steps.append(self._take_subject_back)
        return self.choices.choose(steps)()

    def _mend_insertion(self) -> str:
        key = self.choices.choose(list(self.inserted))
        removed = self._maybe("2024-02-01 00:00:00")
        body = ProbeInsertionMended(
            probe=key[1], insertion_time="2023-02-01 00:00:00", removal_time=removed, reason="Mistyped."
        )
        self._emit(f"subject/{key[0]}", body, key[0])
        self.inserted[key] = removed is None
        return ""

    def _take_insertion_back(self) -> str:
        key = self.choices.choose(list(self.inserted))
        earlier = {"insertion_time": "2022-03-01 00:00:00", "removal_time": "2022-04-01 00:00:00"}
        self._insertion_taken_back(key, self._maybe(earlier))
        return ""

    def _insertion_taken_back(self, key: tuple[str, str], earlier: dict[str, str] | None) -> None:
        body = ProbeInsertionTakenBack(
            probe=key[1],
            insertion_time="2023-03-01 00:00:00",
            removal_time=None,
            earlier=earlier,
            reason="Not there.",
        )
        self._emit(f"subject/{key[0]}", body, key[0])
        del self.inserted[key]
        if earlier is not None:
            self.inserted[key] = False

    def _take_subject_back(self) -> str:
        subject = self.choices.choose(self.registered)
        for key in [key for key in self.inserted if key[0] == subject]:
            self._insertion_taken_back(key, None)
        self._emit(
            f"subject/{subject}", SubjectTakenBack(name=subject[2:], reason="No such animal."), subject
        )
        self.registered.remove(subject)
        return ""

    def _take_value_back(self) -> str:
        key = self.choices.choose(list(self.values))
        body = ReferenceValueTakenBack(
            table=key[0], value=key[1], replaced_by=self._maybe("value_0"), reason="Mistyped."
        )
        self._emit(f"reference/{key[0]}", body)
        del self.values[key]
        return ""

    def _add_value(self) -> str:
        for _ in range(self.choices.choose([1, 2, 25])):
            key = (self.choices.choose(self.tables), f"value_{self.choices.number(0, 30)}")
            attributes = {"rank": self.choices.number(0, 2)} if self.choices.number(0, 1) else {}
            self._emit(
                f"reference/{key[0]}", ReferenceValueAdded(table=key[0], value=key[1], attributes=attributes)
            )
            self.values[key] = True
        return ""

    def _retire_value(self) -> str:
        key = self.choices.choose([key for key, there in self.values.items() if there])
        self._emit(f"reference/{key[0]}", ReferenceValueRetired(table=key[0], value=key[1]))
        self.values[key] = False
        return ""
