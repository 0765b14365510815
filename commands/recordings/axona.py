"""Read Axona ``*.set`` files: one recording each. Never opens the data files that lie beside them.

A ``.set`` is text with one ``key value`` per line and CRLF. The trial's date, time and length come first:
``trial_date Monday, 8 Sep 2014``, ``trial_time 17:25:52``, ``duration 2401`` (seconds). It names no probe.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from commands.recordings.calendar_text import local_time
from commands.recordings.disk import Found, read_file, shown
from commands.recordings.place import Place
from commands.recordings.probes import Contents, read_each
from commands.recordings.session import Missing, Recording, Remark, UnreadableSession

ENDINGS = (".set", ".eeg", ".egf", ".pos")
DATA_ENDINGS = (".eeg", ".egf", ".pos")

SET_LIMIT = 1 << 20
"""Bytes. Published files have 26 kB."""

_KEYS = re.compile(rb"(?m)^(trial_date|trial_time|duration|sw_version)[ \t]+([^\r\n]{0,200})")
_DATE = re.compile(r"(?:[A-Za-z]+,?\s+)?(\d{1,2})\s+([A-Za-z]+\.?)\s+(\d{4})")
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def read(place: Place, found: Sequence[Found]) -> Contents:
    """The recording of each ``.set`` directly in the directory. Raises UnreadableSession."""
    here = [one for one in found if not one.folder]
    contents = read_each(
        here,
        lambda one: parse_set(
            read_file(place.root, one.file, limit=SET_LIMIT, listing=place.listing), file=one.file
        ),
        lambda one: _stem(one.name),
    )
    return Contents(
        contents.recordings,
        (*contents.missing, *_without_set(place, {_stem(one.name).lower() for one in here})),
        _below(found),
    )


def _without_set(place: Place, described: set[str]) -> list[Missing]:
    """The trials that have data there, but no ``.set``."""
    lacking: dict[str, list[str]] = {}
    for one in place.having(DATA_ENDINGS):
        stem = _stem(one.name)
        if not one.folder and stem.lower() not in described:
            lacking.setdefault(stem, []).append(one.file)
    return [
        Missing(
            stem,
            "set-missing",
            tuple(files),
            f"{shown(files[0])} lies there without its settings: {shown(stem)}.set is missing.",
            "Copy the .set file to it. If it is lost, these data can only be left out.",
        )
        for stem, files in lacking.items()
    ]


def _below(found: Sequence[Found]) -> tuple[Remark, ...]:
    """A remark on the folders below that hold recordings of their own."""
    folders: dict[str, list[str]] = {}
    for one in found:
        if one.folder:
            folders.setdefault(one.folder, []).append(one.file)
    return tuple(
        Remark(
            "nested-recordings",
            folder,
            tuple(files),
            f"{shown(folder)} holds recordings of its own ({shown(files[0])}); they are not taken.",
        )
        for folder, files in folders.items()
    )


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def parse_set(data: bytes, *, file: str) -> Recording:
    """The recording that a ``.set`` describes. Raises UnreadableSession."""
    keys: dict[str, str] = {}
    for key, value in _KEYS.findall(data):
        keys.setdefault(key.decode("ascii"), value.decode("latin-1").strip())
    if not keys:
        raise UnreadableSession(
            "not-a-set-file",
            f"{shown(file)} is not an Axona .set file: it has neither trial_date nor trial_time.",
            "Other programs (EEGLAB, for one) also write .set files: move it out of the session directory.",
        )
    duration = keys.get("duration", "")
    if duration and not _SECONDS.fullmatch(duration):
        raise UnreadableSession(
            "bad-value",
            f'{shown(file)} has no usable length: duration "{shown(duration[:60])}".',
            "Expected a number of seconds.",
        )
    return Recording(
        system="axona",
        name=_stem(file.rpartition("/")[2]),
        file=file,
        start=_start(keys, file),
        start_source=file,
        duration_s=float(duration) if duration else None,
    )


def _start(keys: dict[str, str], file: str) -> datetime:
    date, clock = keys.get("trial_date", ""), keys.get("trial_time", "")
    match = _DATE.fullmatch(date)
    start = local_time(match[3], match[2], match[1], clock) if match else None
    if start is None:
        raise UnreadableSession(
            "bad-value" if date and clock else "missing-key",
            f'{shown(file)} has no usable start time: trial_date "{shown(date[:60])}", '
            f'trial_time "{shown(clock[:60])}".',
            'Expected an English date such as "Monday, 8 Sep 2014" and a time such as "17:25:52".',
        )
    return start
