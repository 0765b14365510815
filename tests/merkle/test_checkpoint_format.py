"""The text of checkpoints: what is read, what is written, and that there is only one spelling."""

import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import MAX_SIGNATURES, MAX_TEXT_BYTES, Checkpoint, Signature, cosign, parse, sign
from ledger.signing_keys import CheckpointError, KeyKind, SigningKey

from . import published_notes as published

ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
LOG = SigningKey("lab.example.org/daybook", KeyKind.LOG, b"1" * 32)
WITNESS = SigningKey("witness.example.org/w1", KeyKind.WITNESS, b"2" * 32)
CHECKPOINT = Checkpoint("lab.example.org/daybook", 1234, ROOT)
TEXT = sign(CHECKPOINT, LOG)

one_line = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\x7f\x85"), min_size=1
)
checkpoints = st.builds(
    Checkpoint,
    one_line,
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(one_line, max_size=3).map(tuple),
)


def test_published_example_is_read():
    signed = parse(published.BEHIND_THE_SOFA)
    assert signed.checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, ROOT)
    assert [one.name for one in signed.signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert signed.signatures[1].key_id.hex() == "8d66cf3f"
    time_bytes = signed.signatures[1].payload[:8]
    assert int.from_bytes(time_bytes, "big") == published.BEHIND_THE_SOFA_COSIGNED_AT_S


@pytest.mark.parametrize(
    "text", [published.BEHIND_THE_SOFA, published.ARCHE, *published.SUM_GOLANG_ORG_HEADS], ids=range(4)
)
def test_published_texts_are_written_back_to_the_byte(text):
    signed = parse(text)
    written = signed.note_text + "\n" + "".join(one.line() for one in signed.signatures)
    assert written == text
    assert signed.checkpoint.note_text() == signed.note_text
    assert parse(text.encode()) == signed


@given(checkpoints)
def test_what_is_signed_is_read_back(checkpoint):
    signed = parse(sign(checkpoint, LOG))
    assert signed.checkpoint == checkpoint
    assert [one.name for one in signed.signatures] == [LOG.name]


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_input_is_read_or_refused_and_nothing_else(junk):
    with pytest.raises(CheckpointError):
        parse(junk)


@given(st.data())
def test_damaged_text_is_refused_or_means_what_it_says(data):
    """A text that is still well-formed after damage must be the one spelling of what was read from it."""
    blob = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(blob) - 1))
        blob[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        signed = parse(bytes(blob))
    except CheckpointError:
        return
    assert (signed.note_text + "\n" + "".join(one.line() for one in signed.signatures)).encode() == bytes(
        blob
    )


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("\n1234\n", "\n01234\n", "line 2: the size"),
        ("\n1234\n", "\n00\n", "line 2: the size"),
        ("\n1234\n", "\n+1234\n", "line 2: the size"),
        ("\n1234\n", "\n-1\n", "line 2: the size"),
        ("\n1234\n", "\n1_234\n", "line 2: the size"),
        ("\n1234\n", "\n1234 \n", "line 2: the size"),
        ("\n1234\n", "\n١٢٣٤\n", "line 2: the size"),
        ("\n1234\n", "\n0x4d2\n", "line 2: the size"),
        ("\n1234\n", "\n" + "9" * 21 + "\n", "line 2: the size"),
        ("\n1234\n", "\n" + "9" * 5000 + "\n", "line 2: the size"),
        ("\n1234\n", f"\n{2**64}\n", "expected 0 to 2"),
        ("\n1234\n", "\n", "line 3 is blank"),
        ("\n1234\n", "\n\n", "line 2 is blank"),
        (ROOT_TEXT, ROOT_TEXT[:-1], "line 3: the root is not base64"),
        (ROOT_TEXT, ROOT_TEXT + "=", "line 3: the root is not base64"),
        (ROOT_TEXT, ROOT_TEXT + " ", "line 3: the root is not base64"),
        (ROOT_TEXT, ROOT_TEXT[:-2] + "J=", "line 3: the root is not base64"),  # spare bits set
        (ROOT_TEXT, ROOT_TEXT.replace("/", "_"), "line 3: the root is not base64"),
        (ROOT_TEXT, ROOT_TEXT[:20] + "\u00e9" + ROOT_TEXT[21:], "line 3: the root is not base64"),
        (ROOT_TEXT, ROOT_TEXT[:40], "the root of a checkpoint is 30 bytes, not 32"),
        (ROOT_TEXT, base64.b64encode(ROOT + b"!").decode(), "the root of a checkpoint is 33 bytes"),
        ("lab.example.org/daybook\n1234", "\n1234", "line 1 is blank"),
        ("\n\n— ", "\n— ", "expected a blank line"),
        ("\n\n— ", "\n\n\n— ", "line 5 is ''; expected a signature"),
        ("\n\n— ", "\n\n—", "expected a signature"),
        ("\n\n— ", "\n\n- ", "expected a signature"),
        ("\n\n— ", "\n\n—  ", "expected a signature"),
        ("\n\n— ", "\n\n — ", "expected a signature"),
        ("— lab.example.org", "— lab+example.org", "expected a signature"),
        ("— lab.example.org", "— lab\u00a0example.org", "expected a signature"),
        ("— lab.example.org", "— lab\u2028example.org", "expected a signature"),
        ("lab.example", "lab\texample", r"line 1 has the control character '\\t'"),
        ("lab.example", "lab\x00example", "line 1 has the control character"),
        ("\n", "\r\n", r"line 1 has the control character '\\r'"),
        ("\n", "\r", "line 1 has the control character"),
        ("\n", "\u2028", "line 1: the text ends without a newline"),
    ],
)
def test_other_spellings_are_refused_with_the_line(old, new, says):
    assert old in TEXT
    with pytest.raises(CheckpointError, match=says):
        parse(TEXT.replace(old, new))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "line 1: the text ends"),
        ("", "line 1: the text ends"),
        ("\n", "line 1 is blank"),
        (TEXT[:-1], "line 5: the text ends without a newline"),
        (TEXT + "\n", "expected a signature"),
        (TEXT + "junk\n", "line 6 is 'junk'; expected a signature"),
        (TEXT + "junk", "line 6: the text ends without a newline"),
        (TEXT + TEXT, "expected a signature"),
        (" " + TEXT[:-1] + " \n", "line 5: the signature is not|line 5 is"),
        (TEXT.split("— ")[0], "0 signature lines follow"),
        (CHECKPOINT.note_text(), "line 4: the text ends; expected a blank line"),
        ("\ufeff" + TEXT.split("\n")[0], "without a newline"),
        (TEXT.encode() + b"\xff\n", "is not UTF-8"),
        (TEXT.encode("utf-16"), "is not UTF-8"),
        (TEXT.encode("latin-1", "replace"), "expected a signature"),
        ("\ud800" + TEXT, "control character"),
        (TEXT + "— a QUJDRA==\n", "the signature has 4 bytes"),
        (TEXT + "— a \n", "the signature has 0 bytes"),
        (TEXT + "— a\n", "line 6 is '— a'"),
        (TEXT + "— a QUJDREVG QUJDREVG\n", "expected a signature"),
        (TEXT + "— a QUJDREX=\n", "line 6: the signature is not base64"),
        (TEXT + "— a QUJDREVG\n" * MAX_SIGNATURES, "101 signature lines follow; expected 1 to 100"),
        ("a\n" * (MAX_TEXT_BYTES // 2 + 1), "longer than"),
    ],
)
def test_texts_that_are_no_checkpoint_are_refused(text, says):
    with pytest.raises(CheckpointError, match=says):
        parse(text)


def test_every_cut_of_a_checkpoint_is_refused():
    blob = cosign(TEXT, WITNESS, time_s=1).encode()
    after_the_first_signature = len(TEXT.encode())
    for end in range(len(blob)):
        if end != after_the_first_signature:
            with pytest.raises(CheckpointError):
                parse(blob[:end])


def test_as_many_signatures_as_allowed_are_read():
    text = TEXT + "— a QUJDREVG\n" * (MAX_SIGNATURES - 1)
    assert len(parse(text).signatures) == MAX_SIGNATURES
    with pytest.raises(CheckpointError, match="the most there may be"):
        cosign(text, WITNESS, time_s=1)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**63, 2**64 - 1])
def test_every_size_is_written_in_plain_digits(size):
    text = sign(Checkpoint("o", size, ROOT), LOG)
    assert text.split("\n")[1] == str(size)
    assert parse(text).checkpoint.size == size


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("", 0, ROOT), "the origin"),
        (("two\nlines", 0, ROOT), "the origin"),
        (("\ud800", 0, ROOT), "the origin"),
        (("o", -1, ROOT), "the size"),
        (("o", 2**64, ROOT), "the size"),
        (("o", 0, ROOT[:31]), "31 bytes"),
        (("o", 0, ROOT, ("",)), "the extension line"),
        (("o", 0, ROOT, ("a", "b\n\n— x AAAA")), "the extension line"),
    ],
)
def test_values_that_cannot_be_written_are_refused(values, says):
    with pytest.raises(CheckpointError, match=says):
        Checkpoint(*values)


def test_signature_line_has_the_published_form():
    assert Signature("n", b"ABCD", b"EF").line() == "— n QUJDREVG\n"


def test_importing_checkpoints_does_not_import_cryptography():
    """It costs more than all else at start-up, and most commands sign nothing."""
    code = "import sys, ledger.checkpoint; sys.exit(any(m.startswith('cryptography') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
