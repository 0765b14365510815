"""``docs/accounts.md``, played: several people, each at a machine of his or her own, and one server.

The test that plays it says where the page differs from what was found; with WRITE_PAGES set, it writes that into the
page. "…" stands for any text of a line; alone in a line for any lines.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.accounts.people import ANOTHER, PASSWORD
from tests.cli.conftest import Ended, run_cli
from tests.pages import masked
from tests.serving import Server

SHOWN = "https://daybook.example.org"
_LINE = re.compile(r"(\w+)\$ (.*)")
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"code: (\S+)")
_GIVEN = re.compile(r"\b(db[a-z])_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")
_ID = re.compile(r"(?<=\()[a-hjkmnp-tv-z2-9]{10}(?=\))")
_ANY = "…"


@dataclass
class Step:
    """A command of somebody, or a stage direction (``who`` is empty); and what the page says that is answered."""

    who: str
    what: str
    answer: list[str] = field(default_factory=list)


def steps_of(block: str) -> Iterator[Step]:
    step: Step | None = None
    for line in block.splitlines():
        found = _LINE.fullmatch(line)
        if found or line.startswith("# "):
            if step is not None:
                yield step
            step = Step(found[1], found[2]) if found else Step("", line[2:])
        else:
            assert step is not None, line
            step.answer.append(line)
    if step is not None:
        yield step


def agree(said: list[str], found: str) -> bool:
    parts = [
        "(?s:.*)" if line == _ANY else ".*".join(map(re.escape, line.split(_ANY)))
        for line in masked("\n".join(said))
    ]
    return re.fullmatch("\n".join(parts), "\n".join(masked(found))) is not None


class Play:
    """``directions`` are carried out by their words."""

    def __init__(self, server: Server, folder: Path, directions: dict[str, Callable[["Play"], None]]) -> None:
        self.server, self.folder, self.directions = server, folder, directions
        self.code = self.recovery = ""
        self.differing: list[str] = []
        server.serving.settings = replace(server.serving.settings, public_url=SHOWN)

    def home(self, who: str) -> Path:
        home = self.folder / "home" / who
        if not home.exists():
            home.mkdir(parents=True)
            for name, text in (("password", PASSWORD), ("new-password", ANOTHER), ("wrong", "not the one")):
                (home / f"{name}.txt").write_text(f"{text}\n")
        return home

    def run(self, who: str, line: str) -> Ended:
        command, _, given = line.partition(" < ")
        words = shlex.split(command)[1:]
        words = [{"CODE": self.code, "RECOVERY": self.recovery}.get(word, word) for word in words]
        home = self.home(who)
        stdin = (home / given).read_text() if given else None
        at_server = [] if who == "owner" or "--server" in words else ["--server", self.server.address]
        beside = ["--db", self.server.url] if who == "owner" else []
        with pytest.MonkeyPatch.context() as patch, chdir(home):
            patch.setenv("HOME", str(home))
            patch.setenv("XDG_STATE_HOME", str(home / "state"))
            ended = run_cli(*at_server, *beside, *words, stdin=stdin, user=None)
        found = _CODE.search(ended.shown)
        self.code = found[1] if found else self.code
        token = _GIVEN.search(ended.shown)
        if token and "token create" in line:
            (self.home("rig_1") / "token.txt").write_text(f"{token[0]}\n")
        return ended

    def said(self, who: str, ended: Ended) -> str:
        text = ended.shown.replace(self.server.address, SHOWN).replace(str(self.home(who)), f"/home/{who}")
        text = text.replace(
            re.sub(r"[^\w.-]+", "_", self.server.address.replace("://", "_")), "https_daybook.example.org"
        )
        text = _GIVEN.sub(lambda match: f"{match[1]}_…", text)
        return "\n".join(line.rstrip() for line in _ID.sub("ID", text).rstrip("\n").splitlines())

    def play(self, page: str) -> str:
        """The page, with what was found; what differs is noted."""

        def played(match: re.Match[str]) -> str:
            out = []
            for step in steps_of(match[1]):
                out.append(f"{step.who}$ {step.what}" if step.who else f"# {step.what}")
                if not step.who:
                    self.directions[step.what](self)
                    continue
                found = self.said(step.who, self.run(step.who, step.what))
                if agree(step.answer, found):
                    out += step.answer
                else:
                    self.differing.append(f"{step.who}$ {step.what}\n{found}")
                    out += found.splitlines()
            return "```console\n" + "\n".join(out) + "\n```"

        return _CONSOLE.sub(played, page)
