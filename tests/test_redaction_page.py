"""The page docs/redaction.md, command by command; and what lies in the folder afterwards."""

import gzip
import sqlite3
from contextlib import chdir
from pathlib import Path
from zipfile import ZipFile

from ledger.verify import verify
from tests.cli.conftest import run_cli
from tests.conftest import ROOT
from tests.pages import Console, agree, blocks, own_settings, steps

PAGE = (ROOT / "docs" / "redaction.md").read_text(encoding="utf-8")
NAME = b"A Person"
OWN_FILE = "12345.yml"  # the file of who uploads, which is not the ledger's


def test_every_command_of_the_page_answers_what_it_says_and_nothing_keeps_the_name(tmp_path: Path) -> None:
    with own_settings(tmp_path):
        console = Console(tmp_path)
        for block in blocks(PAGE):
            for step in steps(block):
                ended = console.run(step.command)
                assert (ended.exit != 0) == step.answer.startswith("error: "), (
                    f"$ {step.command}\n{ended.shown}"
                )
                assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"
        ledger = console.folder / "daybook.db"
        with chdir(console.folder):
            assert run_cli("bundle", "s29.zip", "s29").exit == 0
            assert run_cli("checkpoint", "-o", "now.checkpoint").exit == 0
            (console.folder / "log.json").write_text(run_cli("log", "--limit", "0", "--json").out)
            assert run_cli("export", "packed.jsonl.gz").exit == 0

        assert verify(f"sqlite:///{ledger}").problems == []
        assert holding(console.folder, NAME) == {OWN_FILE}
        assert holding(console.folder, key_of(ledger)) == {"daybook.db"}


def key_of(ledger: Path) -> bytes:
    with sqlite3.connect(ledger) as opened:
        [(digest,)] = opened.execute("SELECT digest FROM secrets WHERE kind = 'redaction-key'").fetchall()
    return str(digest).encode()


def holding(folder: Path, text: bytes) -> set[str]:
    """The files below a folder that have these bytes, also packed; the recordings are not the ledger's."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and "recordings" not in path.relative_to(folder).parts:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            if path.suffix == ".zip":
                with ZipFile(path) as archive:
                    content += b"".join(archive.read(name) for name in archive.namelist())
            if text in content or text.hex().encode() in content:
                found.add(path.name)
    return found
