"""A meta that is cut short, empty, of another stream or encoding, or nonsense is refused with its reason."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.readers import read_session_directory
from commands.recordings.session import UnreadableSession
from commands.recordings.spikeglx import META_LIMIT, parse_meta
from commands.samples.spikeglx import SampleProbe, probe_meta

META = probe_meta(
    SampleProbe("18408403232"), file_name="npx.imec.ap.bin", start=datetime(2023, 5, 1, 10), duration_s=1800.0
).encode()


def without(key: str) -> bytes:
    return b"\n".join(line for line in META.split(b"\n") if not line.startswith(key.encode() + b"="))


def with_value(key: str, value: bytes) -> bytes:
    return b"\n".join(
        key.encode() + b"=" + value if line.startswith(key.encode() + b"=") else line
        for line in META.split(b"\n")
    )


def refused(data: bytes) -> UnreadableSession:
    with pytest.raises(UnreadableSession) as raised:
        parse_meta(data, file="probe_1/npx.imec.ap.meta", name="probe_1")
    assert "probe_1/npx.imec.ap.meta" in raised.value.message
    return raised.value


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (without("imDatPrb_sn"), "missing-key", "no serial number: imDatPrb_sn"),
        (with_value("imDatPrb_sn", b""), "missing-key", "no serial number"),
        (with_value("imDatPrb_sn", b"   "), "missing-key", "serial number"),
        (with_value("imDatPrb_sn", b"18408 403232"), "bad-value", '"18408 403232"'),
        (with_value("imDatPrb_sn", b"\xff\xfe"), "bad-value", "serial number"),
        (without("fileCreateTime"), "missing-key", "no start time: fileCreateTime"),
        (with_value("fileCreateTime", b"yesterday"), "bad-value", '"yesterday"'),
        (with_value("fileCreateTime", b"2023-02-30T10:00:00"), "bad-value", "2023-02-30T10:00:00"),
        (with_value("fileCreateTime", b"2023-05-01T10:00:00+02:00"), "bad-value", "+02:00"),
        (with_value("fileCreateTime", b"20230501"), "bad-value", "20230501"),
        (with_value("fileTimeSecs", b"nan"), "bad-value", '"nan"'),
        (with_value("fileTimeSecs", b"-3"), "bad-value", '"-3"'),
        (with_value("fileTimeSecs", b"1e99"), "bad-value", '"1e99"'),
        (with_value("fileSizeBytes", b"9" * 40), "bad-value", "fileSizeBytes"),
        (with_value("typeThis", b"nidq"), "not-a-probe-meta", '"nidq"'),
        (with_value("typeThis", b"obx"), "not-a-probe-meta", '"obx"'),
        (with_value("snsApLfSy", b"0,384,1"), "not-a-probe-meta", "LF band"),
        (META[: len(META) // 2], "truncated-meta", "cut short"),
        (META[:300], "truncated-meta", "cut short"),
        (META[:-5], "truncated-meta", "cut short"),
        (META.decode().encode("utf-16"), "wrong-encoding", "NUL"),
        (b"\0" * 5000, "wrong-encoding", "NUL"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 200)), "not-a-meta", "none of its keys"),
        (b"<html>not found</html>", "not-a-meta", "none of its keys"),
    ],
)
def test_damaged_meta_is_refused_with_its_reason(data: bytes, code: str, says: str) -> None:
    problem = refused(data)
    assert (problem.code, says in problem.message) == (code, True), problem.message
    assert problem.hint


def test_missing_length_or_size_means_still_acquiring() -> None:
    for key in ("fileTimeSecs", "fileSizeBytes"):
        assert parse_meta(without(key), file="a", name="a").acquiring


@given(cut=st.integers(0, len(META) - 3))
def test_meta_cut_anywhere_is_refused_never_misread(cut: int) -> None:
    try:
        recording = parse_meta(META[:cut], file="a", name="a")
    except UnreadableSession:
        return
    assert recording == parse_meta(META, file="a", name="a")  # cut between two entries of the last table


@given(st.binary(max_size=400), st.integers(0, len(META)), st.integers(0, 60))
def test_garbage_in_a_meta_raises_nothing_else(garbage: bytes, at: int, removed: int) -> None:
    try:
        parse_meta(META[:at] + garbage + META[at + removed :], file="a", name="a")
    except UnreadableSession as problem:
        problem.message.encode("utf-8")


@pytest.mark.parametrize("size", [META_LIMIT + 1, 100_000_000])
def test_huge_meta_is_refused_without_reading_it_all(tmp_path: Path, size: int) -> None:
    meta = tmp_path / "probe_1" / "npx.imec.ap.meta"
    meta.parent.mkdir()
    meta.write_bytes(META)
    with meta.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(UnreadableSession, match=r"probe_1/npx\.imec\.ap\.meta is larger than"):
        read_session_directory(tmp_path)


def test_empty_meta_is_refused(tmp_path: Path) -> None:
    (tmp_path / "npx.imec.ap.meta").touch()
    with pytest.raises(UnreadableSession, match="is empty"):
        read_session_directory(tmp_path)
