"""A random history of the lab through real commands, for tests that look back on it."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from commands.intake.completion import annotate, associate
from commands.intake.uploading import replay
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.lab.roles import GrantRole
from commands.lab.subjects import RegisterSubject
from commands.requests.correction.correct import correct
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from projections.rows import State
from tests.deletion.desk import Desk
from tests.intake.lab import PROBES, SERIALS, document, group, session

FOLDERS = ("plain_1", "plain_2", "plain_3", "twin", "sorted", "strange", "empty")
USERS = ("user_1", "user_1", "user_3")


class Story:
    """Steps that people could take; what is refused changes nothing, or is itself recorded."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.lab = desk.lab
        self.choices = random.Random(seed)
        lab = self.lab
        for day, name in enumerate(("plain_1", "plain_2", "plain_3", "sorted")):
            lab.record(name, day=day, serials=SERIALS[:1])
        lab.record("twin", day=0, serials=SERIALS[:1])
        lab.record("strange", day=9, serials=["9999999"])
        (lab.share / "empty").mkdir()
        kilosort_output(lab.share / "sorted" / "ks2.1_01")
        self.steps: tuple[Callable[[], object], ...] = (
            self.upload, self.upload, self.upload, self.upload_group, self.annotate, self.associate, self.withdraw,
            self.request, self.request, self.decide, self.decide, self.decide, self.restore, self.replay,
            self.correct, self.change_catalogue, self.grant,
        )  # fmt: skip

    def step(self) -> None:
        """One step that changes the ledger."""
        before = self.lab.size()
        while self.lab.size() == before:
            with suppress(Refusal):
                self.choices.choice(self.steps)()

    # --- what there is

    def rows(self, table: str) -> list[Any]:
        with self.lab.daybook.reading() as world:
            state: State = world.state
            return list(getattr(state, table).where("id > ?", [0]))

    def one(self, table: str) -> Any:
        rows = self.rows(table)
        if not rows:
            raise Refusal("nothing", "There is none yet.")
        return self.choices.choice(rows)

    def user(self) -> str:
        return self.choices.choice(USERS)

    # --- steps

    def _entries(self, **fields: Any) -> list[dict[str, Any]]:
        names = self.choices.sample(FOLDERS, self.choices.randint(1, 3))
        return [session(name, name=f"{name}_name", clustering=True, **fields) for name in names]

    def upload(self) -> None:
        self.lab.upload(*self._entries(), user=self.user())

    def upload_group(self) -> None:
        names = self.choices.sample(FOLDERS[:3], 2)
        entries = [session(name, name=f"{name}_name", clustering=True) for name in names]
        self.lab.upload(
            *entries, clustering=[group("g", [f"{name}_name" for name in names])], user=self.user()
        )

    def annotate(self) -> None:
        row = self.one("sessions")
        annotate(
            self.desk.of(row.username), row.id, roots=self.lab.roots, room="2.345", notes=f"of s{row.id}"
        )

    def associate(self) -> None:
        waiting = [row for row in self.rows("sessions") if row.status == "waiting"]
        row = self.choices.choice(waiting) if waiting else self.one("sessions")
        associate(self.desk.of(row.username), row.id, {"probe_1": PROBES[1]}, roots=self.lab.roots)

    def withdraw(self) -> None:
        row = self.one(self.choices.choice(["sessions", "uploads"]))
        self.desk.withdraw(self._name(row), user=row.username)

    def request(self) -> None:
        row = self.one(self.choices.choice(["sessions", "clusterings", "uploads"]))
        self.desk.request(self._name(row), user=row.username)

    @staticmethod
    def _name(row: Any) -> str:
        return f"{type(row).__name__[0].lower()}{row.id}"

    def decide(self) -> None:
        row = self.one("deletions")
        if self.choices.random() < 0.8:
            self.desk.approve(row.id, accept_impact=self.choices.random() < 0.5)
        elif self.choices.random() < 0.5:
            self.desk.reject(row.id)
        else:
            self.desk.cancel(row.id, user=row.requested_by)

    def restore(self) -> None:
        self.desk.restore(self.one("deletions").id)

    def replay(self) -> None:
        row = self.one("uploads")
        replay(self.desk.of(row.username), row.id, roots=self.lab.roots)

    def correct(self) -> None:
        data = document(*self._entries(room=self.choices.choice(["2.345", "2.346"])))
        correct(self.desk.of("user_2"), data, filename="12345.yml", roots=self.lab.roots, reason="wrong room")

    def change_catalogue(self) -> None:
        number = self.choices.randint(0, 3)
        values = {"table": "acquisition.Project", "value": f"project_{number}"}
        self.lab.daybook.submit(
            self.choices.choice(
                [
                    AddReferenceValue(**values),
                    AddReferenceValue(**values, attributes={"n": number}),
                    RetireReferenceValue(**values),
                    RegisterSubject(name=f"subject_{number}"),
                ]
            )
        )

    def grant(self) -> None:
        role = self.choices.choice(["researcher", "auditor"])
        self.lab.daybook.submit(GrantRole(user=self.choices.choice(["user_7", "user_8"]), role=role))
