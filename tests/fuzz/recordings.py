"""Mutated session directories: reading one gives what it holds or a refusal, in bounded time, and never a fault.

A case is made from its seed alone: a directory as some acquisition software writes it, with files cut, changed, doubled,
renamed, or with those of another system beside them.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from commands.inputfile.compose import compose
from commands.recordings.clusterings import look_for_clusterings
from commands.recordings.readers import list_session, read_session_directory
from commands.recordings.session import SessionDirectory, SessionDirectoryError
from commands.recordings.sessions_txt import parse_sessions_txt
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.tetrodes import axona_session, neuralynx_session, neurologger_session

SLOWEST = 5.0  # seconds of CPU for a few files
_START = datetime(2023, 5, 1, 10, 0, 0)
_SAMPLES: list[Callable[..., Path]] = [
    partial(spikeglx_session, probes=[SampleProbe("18408403232")]),
    partial(spikeglx_session, probes=[SampleProbe("18408403232"), SampleProbe("18408403233")]),
    axona_session,
    neuralynx_session,
    neurologger_session,
    openephys_session,
]
_TABLE = b"#1,  open_field_1,  start=30, end=40, valid_times=[30,35;36,40]\r\n#2, b, start=50\r\n"
_PIECES = [
    b"", b"\0", b"\xff", b"\n", b"\r\n", b"=", b"~", b"1e999", b"-1", b"9" * 400, b"nan", b"\\u0000", b"\\ud800", b"<", b">",
    b"&a;", b"{", b"]", b"\"", b"(" * 5_000, b"[" * 5_000, b" " * 20_000, b"0" * 20_000, b"\xe9", b"\x1b[31m", b",", b"None",
]  # fmt: skip
_NAMES = [
    "sessions.txt",
    "a.ap.meta",
    "params.py",
    "cluster_group.tsv",
    "spike_times.npy",
    "settings.xml",
    "x.set",
    "1.ntt",
]


def one_case(seed: int) -> None:
    """Raises AssertionError, or whatever reading raises, where the case finds a fault."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="daybook-fuzz-"))
    try:
        session = chance.choice(_SAMPLES)(folder / "12345" / "2023-05-01", start=_START)
        (session / "sessions.txt").write_bytes(_TABLE)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            _mutate(chance, session)
        started = time.process_time()
        _read(session, folder / "12345")
        seconds = time.process_time() - started
        assert seconds < SLOWEST, f"{seconds:.1f} s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mutate(chance: random.Random, session: Path) -> None:
    files = sorted(path for path in session.rglob("*") if path.is_file())
    if not files:
        return
    path = chance.choice(files)
    kind = chance.randrange(10)
    if kind < 6:
        path.write_bytes(_changed(chance, path.read_bytes()))
    elif kind == 6:
        path.unlink()
    elif kind == 7:
        target = path.with_name(chance.choice(_NAMES))
        if not target.exists():
            path.rename(target)
    elif kind == 8:
        below = session / chance.choice(("a", "probe_1", "KLUSTA", "kilosort")) / chance.choice(_NAMES)
        below.parent.mkdir(exist_ok=True)
        if not below.exists():
            below.write_bytes(_changed(chance, path.read_bytes()))
    else:
        chance.choice(_SAMPLES)(session / "other", start=_START) if not (session / "other").exists() else None


def _changed(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 0, 1, 5, 100, 10_000)))
    piece = chance.choice((*_PIECES, data[start : start + 50]))
    return data[:start] + piece * chance.choice((1, 1, 1, 3)) + data[end:]


def _read(session: Path, subject: Path) -> None:
    listing = found = None
    try:
        found = read_session_directory(session, now=_START)
        _holds(found)
    except SessionDirectoryError as refusal:
        _says_why(refusal)
    try:
        listing = list_session(session)
        probes = () if found is None else found.probes
        for output in look_for_clusterings(session, probes, listing=listing).outputs:
            str(output).encode()
    except SessionDirectoryError as refusal:
        _says_why(refusal)
    for directory in (session, subject):
        try:
            compose(directory, subject=None, location_of=str, zone=UTC).encode()
        except SessionDirectoryError as refusal:
            _says_why(refusal)
    table = session / "sessions.txt"
    if table.is_file():
        try:
            str(parse_sessions_txt(table.read_bytes())).encode()
        except SessionDirectoryError as refusal:
            _says_why(refusal)


def _holds(found: SessionDirectory) -> None:
    """What is true of everything that may stand in an event: text that any database keeps."""
    text = repr(found)
    assert "\\x00" not in text and "\\ud8" not in text
    assert " inf" not in text.replace("=", " ") and " nan" not in text.replace("=", " ")


def _says_why(refusal: SessionDirectoryError) -> None:
    assert refusal.message and refusal.message.isprintable(), repr(refusal.message)
    f"{refusal.message} {refusal.hint}".encode()
    assert len(refusal.message) < 10_000
