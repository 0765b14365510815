"""A lab as pages meet it: long paths of Windows, names beyond ASCII, much that waits, files that were rejected."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from commands.answers.actions import ACTIONS
from commands.samples.lab import SampleLab
from commands.samples.spikeglx import spikeglx_session
from tests.cli.conftest import Ended
from tests.length import LONG

WAITING = 60
LONG_PATH = "N:/my_project/a_rather_long_project_name/12345_Ø_å_ü_left_MEC_chronic"


@dataclass(frozen=True)
class Stocked:
    """``inserted`` and ``waits`` are sessions, ``clustering`` one of the first, ``rejected`` an upload; ``request`` is open."""

    upload: str
    rejected: str
    inserted: str
    waits: str
    clustering: str
    probe: str
    request: str
    carried_out: str

    @property
    def pages(self) -> list[str]:
        """Pages whose address has a parameter, and some that are asked for something particular."""
        return [
            "/sessions", "/sessions?status=waiting", "/sessions?subject=777", "/sessions?since=whenever", "/clusterings",
            "/uploads", "/subjects", "/subjects/12345", f"/probes/{self.probe}", "/users/user_1",
            f"/sessions/{self.inserted}", f"/sessions/{self.inserted}?as_of={self.inserted[1:]}",
            f"/sessions/{self.waits}", f"/clusterings/{self.clustering}", f"/uploads/{self.upload}",
            f"/uploads/{self.rejected}", f"/uploads/{self.upload}/file?line=4", "/audit", "/log", "/log/1",
            "/log?type=ActionRefused", "/integrity", f"/ingest?upload={self.rejected}&check=1", f"/ingest/uploads/{self.rejected}",
            f"/requests/{self.request}", f"/requests/{self.carried_out}", f"/requests/{self.carried_out}/restore",
            "/people/user?name=user_1", "/people/user?name=user_2", "/help?q=probe", "/help/docs/pages",
            "/help/docs/all", f"/records/{self.inserted}", f"/correct?upload={self.upload}", f"/wrong-data/delete?records={self.waits}",
            f"/wrong-data/redact?position={self.waits[1:]}", f"/wrong-data/what-if?without={self.upload}",
            f"/wrong-data/replay?upload={self.upload}", f"/diff?start={self.inserted[1:]}", "/compose?at=R:/12345",
            *(f"/do/{action.name}?ref={self.inserted}" for action in (ACTIONS if LONG else ACTIONS[::8])),
        ]  # fmt: skip


def stock(lab: Callable[..., Ended], sample: SampleLab, folder: Path) -> Stocked:
    """Three sessions that are inserted, and many that wait for their sessions.txt."""
    (folder / "daybook.toml").write_text(
        f'[roots]\n"N:" = "{folder / "share"}"\n"R:" = "{folder / "recordings"}"\n', encoding="utf-8"
    )
    subject = sample.subjects[0]
    text = (folder / "subject_1.yml").read_text(encoding="utf-8").replace(f"{folder}/recordings", "R:")
    text, first, own = text.partition("sessions:\n")
    text += first
    for number in range(WAITING):
        place = f"{LONG_PATH.removeprefix('N:/')}/2023-06-{number % 30 + 1:02}_{9 + number // 30:02}-00-00_openfield"
        made = folder / "share" / place
        start = datetime(2023, 6, number % 30 + 1, 9 + number // 30)
        spikeglx_session(made, probes=subject.probes, start=start, duration_s=60.0)
        text += (
            f'  - location: "N:\\\\{place.replace("/", chr(92) * 2)}"\n    experimenter: [user_1]\n    tasks:\n'
            "      - {task_type: OpenField, arena_apparatus: 150_square, notes: true}\n"
        )
    text += own
    (folder / "campaign.yml").write_text(text, encoding="utf-8")
    ended = lab("upload", "campaign.yml", "--json")
    assert ended.exit == 0, ended.shown[:2000]
    uploaded = ended.json
    (folder / "bad.yml").write_text(text.replace("150_square", "150_sqare"), encoding="utf-8")
    (folder / "wrong.yml").write_text(text.replace('name: "12345"', 'name: "12354"'), encoding="utf-8")
    rejected = lab("upload", "wrong.yml", "--json").json["upload"]
    sessions = lab("sessions", "--json").json["sessions"]
    inserted = next(each["session"] for each in sessions if each["status"] == "inserted")
    assert lab("checkpoint").exit == 0
    requested = [
        lab("delete", "request", ref, "--reason", "the wrong animal", "--json").json["request"]
        for ref in (sessions[0]["session"], sessions[1]["session"])
    ]
    assert lab("role", "grant", "user_2", "admin").exit == 0
    assert lab("request", "approve", requested[1], user="user_2").exit == 0
    return Stocked(
        upload=uploaded["upload"], rejected=rejected, inserted=inserted,
        waits=next(each["session"] for each in sessions if each["status"] != "inserted"),
        clustering=lab("clusterings", "--json").json["clusterings"][0]["clustering"],
        probe=f"npx_1_{subject.probes[0].serial}", request=requested[0], carried_out=requested[1],
    )  # fmt: skip
