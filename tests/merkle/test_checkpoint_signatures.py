"""Signatures under checkpoints, and the keys: published vectors, refusals, files."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import (
    Checkpoint,
    Signature,
    SignedCheckpoint,
    cosign,
    parse,
    sign,
    verified_signatures,
    verify,
)
from ledger.signing_keys import (
    CheckpointError,
    KeyKind,
    PublicKey,
    SigningKey,
    parse_public_key,
    public_key_text,
    read_key,
    write_new_key,
)

from . import published_notes as published

LOG = SigningKey("lab.example.org/daybook", KeyKind.LOG, b"1" * 32)
NEW_LOG = SigningKey("lab.example.org/daybook", KeyKind.LOG, b"3" * 32)
WITNESS = SigningKey("witness.example.org/w1", KeyKind.WITNESS, b"2" * 32)
OTHER_WITNESS = SigningKey("witness.example.org/w2", KeyKind.WITNESS, b"4" * 32)
CHECKPOINT = Checkpoint("lab.example.org/daybook", 1234, bytes(range(32)))
TEXT = sign(CHECKPOINT, LOG)
COSIGNED = cosign(TEXT, WITNESS, time_s=1_700_000_000)


def write_private(path, content: str | bytes, mode: int = 0o600):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


# --- published ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", published.SUM_GOLANG_ORG_HEADS, ids=["6476701", "19777102"])
def test_published_heads_of_the_go_checksum_database_verify(text):
    key = parse_public_key(published.SUM_GOLANG_ORG)
    checkpoint = verify(text, [key], origin="go.sum database tree")
    assert checkpoint.size == int(text.split("\n")[1])
    with pytest.raises(CheckpointError, match=r'the signature by "sum\.golang\.org"'):
        verify(text.replace("\n1", "\n2").replace("\n6", "\n7"), [key])


def test_published_checkpoint_verifies_under_its_log_key_and_its_witnesses():
    log = parse_public_key(published.ARCHE_LOG)
    witnesses = [parse_public_key(text) for text in published.ARCHE_WITNESSES]
    assert (log.kind, {key.kind for key in witnesses}) == (KeyKind.LOG, {KeyKind.WITNESS})
    assert verify(published.ARCHE, [log]).size == 1432088532
    verify(published.ARCHE, witnesses, at_least=3)
    with pytest.raises(CheckpointError, match="3 of the known keys signed"):
        verify(published.ARCHE, witnesses, at_least=4)
    for key in (log, *witnesses):
        with pytest.raises(CheckpointError, match="does not fit the checkpoint"):
            verify(published.ARCHE.replace("1432088532", "1432088533"), [key])
    times = [one.cosigned_at_s for one in verified_signatures(parse(published.ARCHE), [log, *witnesses])]
    assert times == [None, *[published.ARCHE_COSIGNED_AT_S] * 3]


def test_published_note_signature_is_made_and_verified(tmp_path):
    key = read_key(write_private(tmp_path / "key", published.PETER_SIGNING_KEY + "\n"))
    assert public_key_text(key) == published.PETER
    # The published note is no checkpoint, so it goes in below the parser, as Ed25519 is deterministic.
    note = SignedCheckpoint(CHECKPOINT, (signature_of(published.PETER_LINE),), published.PETER_TEXT)
    assert verified_signatures(note, [key.public()])[0].key == key.public()
    assert verified_signatures(note, [parse_public_key(published.ENOCH)]) == ()
    enoch = SignedCheckpoint(CHECKPOINT, (signature_of(published.ENOCH_LINE),), published.PETER_TEXT)
    assert len(verified_signatures(enoch, [parse_public_key(published.ENOCH)])) == 1


def signature_of(line: str) -> Signature:
    return parse(f"{CHECKPOINT.note_text()}\n{line}\n").signatures[0]


def test_published_public_keys_are_read_and_written_back():
    for text in (
        published.PETER,
        published.ENOCH,
        published.SUM_GOLANG_ORG,
        published.ARCHE_LOG,
        *published.ARCHE_WITNESSES,
    ):
        assert public_key_text(parse_public_key(f" {text}\n")) == text


def test_no_part_and_no_change_of_a_published_public_key_is_accepted():
    key = published.PETER
    parts = [key[i:j] for i in range(len(key)) for j in range(i + 1, len(key) + 1) if (i, j) != (0, len(key))]
    changed = [key[:i] + chr(ord(key[i]) + 1) + key[i + 1 :] for i in range(len(key))]
    for text in ("", *parts, *changed, published.PETER_WITH_LONG_KEY, published.PETER_OF_UNKNOWN_KIND):
        with pytest.raises(CheckpointError):
            parse_public_key(text)


def test_signing_key_given_for_a_public_one_is_refused_without_showing_it():
    secret = published.PETER_SIGNING_KEY.rpartition("+")[2]
    for text in (published.PETER_SIGNING_KEY, f"PeterNeumann+{secret}+c74f20a3", f"{secret}+c74f20a3+AQ=="):
        with pytest.raises(CheckpointError, match="expected") as caught:
            parse_public_key(text)
        assert secret not in str(caught.value)


def test_no_part_and_no_change_of_a_published_signing_key_is_accepted(tmp_path):
    key, path = published.PETER_SIGNING_KEY, tmp_path / "key"
    parts = [key[:i] for i in range(len(key))] + [key[i:] for i in range(1, len(key))]
    changed = [key[:i] + chr(ord(key[i]) + 1) + key[i + 1 :] for i in range(len(key))]
    for text in (*parts, *changed, key + "\n" + key, key.encode("utf-16")):
        with pytest.raises(CheckpointError) as caught:
            read_key(write_private(path, text))
        assert "AYEKFALVFGyNhPJEMzD1QIDr" not in str(caught.value)


# --- round trips ----------------------------------------------------------------------------------


def test_signed_checkpoint_verifies_under_the_signers_key_alone():
    assert verify(TEXT, [LOG.public()]) == CHECKPOINT
    for keys in ([], [NEW_LOG.public()], [WITNESS.public()]):
        with pytest.raises(CheckpointError, match="0 of the known keys signed"):
            verify(TEXT, keys)


def test_signing_is_deterministic():
    assert sign(CHECKPOINT, LOG) == TEXT


def test_key_under_another_name_or_kind_is_another_key():
    public = LOG.public()
    for other in (
        PublicKey("other", public.kind, public.key),
        PublicKey(public.name, KeyKind.WITNESS, public.key),
    ):
        with pytest.raises(CheckpointError, match="0 of the known keys"):
            verify(TEXT, [other])


def test_log_signature_is_no_cosignature_even_with_the_key_id_of_one():
    witness = PublicKey(LOG.name, KeyKind.WITNESS, LOG.public().key)
    plain = parse(TEXT).signatures[0]
    for payload in (plain.payload, bytes(8) + plain.payload):
        forged = CHECKPOINT.note_text() + "\n" + Signature(LOG.name, witness.key_id, payload).line()
        with pytest.raises(CheckpointError, match=r"does not fit the checkpoint|gives the time"):
            verify(forged, [witness])


def test_cosigned_checkpoint_verifies_under_both_keys():
    assert COSIGNED.startswith(TEXT)
    both = [LOG.public(), WITNESS.public()]
    assert verify(COSIGNED, both, at_least=2) == CHECKPOINT
    assert verify(COSIGNED, both[1:]) == CHECKPOINT
    signers = verified_signatures(parse(COSIGNED), both)
    assert [(one.key.name, one.cosigned_at_s) for one in signers] == [
        (LOG.name, None),
        (WITNESS.name, 1_700_000_000),
    ]


def test_cosigning_again_replaces_the_witnesss_older_line():
    again = cosign(cosign(COSIGNED, OTHER_WITNESS, time_s=5), WITNESS, time_s=1_700_000_060)
    signers = verified_signatures(parse(again), [WITNESS.public(), OTHER_WITNESS.public()])
    assert [(one.key.name, one.cosigned_at_s) for one in signers] == [
        (OTHER_WITNESS.name, 5),
        (WITNESS.name, 1_700_000_060),
    ]
    assert len(parse(again).signatures) == 3


def test_cosignature_takes_the_present_time_by_default(monkeypatch):
    monkeypatch.setattr("ledger.checkpoint.time.time", lambda: 1_750_000_000.9)
    signers = verified_signatures(parse(cosign(TEXT, WITNESS)), [WITNESS.public()])
    assert [one.cosigned_at_s for one in signers] == [1_750_000_000]


def test_ledger_that_changes_its_key_signs_with_both():
    both = cosign(TEXT, NEW_LOG)
    for key in (LOG, NEW_LOG):
        assert verify(both, [key.public()]) == CHECKPOINT
    assert verify(both, [LOG.public(), NEW_LOG.public()], at_least=2) == CHECKPOINT


def test_extension_lines_are_covered_by_both_kinds_of_signature():
    text = cosign(sign(Checkpoint("o", 1, bytes(32), ("extended",)), LOG), WITNESS, time_s=1)
    for key in (LOG, WITNESS):
        verify(text, [key.public()])
        for changed in (text.replace("extended", "extendeD"), text.replace("extended\n", "")):
            with pytest.raises(CheckpointError, match="does not fit"):
                verify(changed, [key.public()])


def test_witness_key_does_not_sign_for_the_ledger():
    with pytest.raises(CheckpointError, match="is a witness key"):
        sign(CHECKPOINT, WITNESS)


def test_time_that_cannot_be_written_is_refused():
    for time_s in (-1, 2**63):
        with pytest.raises(CheckpointError, match="POSIX seconds"):
            cosign(TEXT, WITNESS, time_s=time_s)
    verify(cosign(TEXT, WITNESS, time_s=2**63 - 1), [WITNESS.public()])
    late = Signature(WITNESS.name, WITNESS.public().key_id, (2**63).to_bytes(8, "big") + bytes(64))
    with pytest.raises(CheckpointError, match="gives the time"):
        verify(TEXT + late.line(), [WITNESS.public()])


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "keys"), [(TEXT, [LOG]), (COSIGNED, [LOG, WITNESS])], ids=["log", "both"])
def test_every_bit_flip_is_refused(text, keys):
    blob, public = text.encode(), [key.public() for key in keys]
    verify(blob, public, at_least=len(keys))
    for at in range(len(blob)):
        for bit in range(8):
            flipped = blob[:at] + bytes([blob[at] ^ 1 << bit]) + blob[at + 1 :]
            with pytest.raises(CheckpointError):
                verify(flipped, public, at_least=len(keys))


@given(st.integers(0, len(COSIGNED.encode()) - 1), st.integers(1, 255))
def test_one_changed_byte_never_changes_the_verified_checkpoint(at, difference):
    """Where one signature is enough the other may be damaged unseen; the checkpoint stays the same."""
    blob = bytearray(COSIGNED.encode())
    blob[at] ^= difference
    try:
        found = verify(bytes(blob), [LOG.public(), WITNESS.public()])
    except CheckpointError:
        return
    assert found == CHECKPOINT


def test_wrong_signature_by_a_known_key_is_refused_beside_a_right_one():
    wrong = Signature(WITNESS.name, WITNESS.public().key_id, bytes(72)).line()
    with pytest.raises(CheckpointError, match=r'the signature by "witness\.example\.org/w1"'):
        verify(TEXT + wrong, [LOG.public(), WITNESS.public()])
    assert verify(TEXT + wrong, [LOG.public()]) == CHECKPOINT, "that of an unknown key says nothing"


@pytest.mark.parametrize("length", [1, 7, 8, 63, 64, 65, 71, 73])
def test_signature_of_another_length_is_refused(length):
    made = parse(COSIGNED).signatures[1]
    payload = (made.payload + b"!")[:length]
    text = TEXT + Signature(made.name, made.key_id, payload).line()
    with pytest.raises(CheckpointError, match="does not fit"):
        verify(text, [WITNESS.public()])


def test_one_key_never_counts_twice():
    repeated = TEXT + parse(TEXT).signatures[0].line()
    with pytest.raises(CheckpointError, match="1 of the known keys signed the checkpoint; expected 2"):
        verify(repeated, [LOG.public(), LOG.public()], at_least=2)
    renamed = SigningKey("second.name", KeyKind.LOG, LOG.seed)
    with pytest.raises(CheckpointError, match="1 of the known keys"):
        verify(cosign(TEXT, renamed), [LOG.public(), renamed.public()], at_least=2)


def test_asking_for_no_signature_still_asks_for_one():
    with pytest.raises(CheckpointError, match="expected 1"):
        verify(TEXT, [], at_least=0)


def test_checkpoint_of_another_ledger_is_refused():
    text = sign(Checkpoint("lab.example.org/other", 1, bytes(32)), LOG)
    verify(text, [LOG.public()])
    with pytest.raises(CheckpointError, match=r'a checkpoint of "lab\.example\.org/other"'):
        verify(text, [LOG.public()], origin="lab.example.org/daybook")


def test_refusal_names_the_signers_and_the_known_keys():
    with pytest.raises(CheckpointError) as caught:
        verify(TEXT, [WITNESS.public()])
    for key in (LOG, WITNESS):
        assert f"{key.name}+{key.public().key_id.hex()}" in str(caught.value)


# --- key files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KeyKind)
def test_new_key_is_read_back_and_signs(tmp_path, kind):
    path = tmp_path / "key"
    key = write_new_key(path, "lab.example.org/daybook", kind=kind)
    assert read_key(path) == key
    assert parse_public_key(public_key_text(key)) == key.public()
    assert verify(cosign(TEXT, key), [key.public()]) == CHECKPOINT


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_new_key_file_is_its_owners_alone_and_nothing_else_is_left(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_new_key(tmp_path / "key", "daybook")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_existing_key_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    write_new_key(path, "daybook")
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="exists already"):
        write_new_key(path, "daybook")
    assert path.read_bytes() == before
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="exists already"):
        write_new_key(tmp_path / "link", "daybook")
    assert {one.name for one in tmp_path.iterdir()} == {"key", "link"}


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.hardlink_to"])
def test_failure_before_the_key_file_is_there_leaves_nothing(tmp_path, monkeypatch, step):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_new_key(tmp_path / "key", "daybook")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    write_new_key(tmp_path / "key", "daybook")


def test_two_new_keys_differ(tmp_path):
    assert write_new_key(tmp_path / "a", "daybook").seed != write_new_key(tmp_path / "b", "daybook").seed


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o660, 0o777])
def test_key_file_open_to_others_is_refused_with_the_cure(tmp_path, mode):
    path = tmp_path / "key"
    write_new_key(path, "daybook")
    path.chmod(mode)
    with pytest.raises(CheckpointError, match=rf"mode {mode:04o}.*chmod 600 .*key"):
        read_key(path)
    path.chmod(0o400)
    read_key(path)


def test_missing_and_unusable_places_are_refused_in_words(tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        read_key(tmp_path / "none")
    with pytest.raises(CheckpointError, match="directory"):
        read_key(tmp_path)
    with pytest.raises(CheckpointError, match="No such file"):
        write_new_key(tmp_path / "none" / "key", "daybook")
    with pytest.raises(CheckpointError, match="is no signing key"):
        read_key(write_private(tmp_path / "public", published.PETER))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u00a0b", "a\u2028b", "\ud800"])
def test_unfit_key_names_are_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match="cannot name a key"):
        write_new_key(tmp_path / "key", name)
    assert list(tmp_path.iterdir()) == []


def test_secret_never_shows():
    assert "1111" not in repr(LOG)
    assert "seed" not in repr(LOG)
