"""A command line as it may be kept: without a secret, without a text that somebody wrote, and without what lies below a
root. Pure.

What a word is cannot be known for sure, so what is shown is what was understood: options, names, ids, and of a path
what it begins with.
"""

import re
from collections.abc import Iterable, Sequence

from ledger.addresses import without_secrets

_SECRET = frozenset({"--code", "--password", "--token"})
_WRITTEN = frozenset({"--reason", "--notes", "--text", "--email", "--name"})
_AFTER = {"accept"}  # words behind which a secret stands
_URL = re.compile(r"https?://", re.IGNORECASE)
_MASK = "***"
_LONGEST, _WORDS = 120, 60


def told(words: Sequence[str], roots: Iterable[str] = ()) -> str:
    """In one line; ``roots`` are the prefixes and directories of the settings."""
    known = sorted({root.rstrip("/\\") for root in roots} - {""}, key=len, reverse=True)
    shown: list[str] = []
    before = ""
    for word in words[:_WORDS]:
        name, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
        if sign:
            shown.append(f"{name}={_value(name, value, known)}")
        elif word.startswith("-") and not word[1:2].isdigit():
            shown.append(word[:_LONGEST])
        else:
            shown.append(_value(before, word, known))
        before = word
    return " ".join(shown) + (" …" if len(words) > _WORDS else "")


def _value(option: str, word: str, known: Sequence[str]) -> str:
    if option in _SECRET or option in _AFTER:
        return _MASK
    if option in _WRITTEN:
        return "…"
    text = without_secrets(" ".join("".join(c if c.isprintable() else "?" for c in word).split()))
    return text if _URL.match(text) or "://" in text else shortened(text, known)[:_LONGEST]


def shortened(text: str, known: Sequence[str]) -> str:
    """A path up to its root; without one that is known, its beginning. Any other text as it is."""
    name, sign, path = text.partition("=")  # imec0=npx_1
    if sign and "/" not in name and "\\" not in name:
        return f"{name}={shortened(path, known)}"
    for root in known:
        if text.lower().startswith(root.lower()) and text[len(root) : len(root) + 1] in ("/", "\\"):
            return f"{text[: len(root)]}/…"
    parts = re.split(r"[\\/]", text)
    if len(parts) == 1:
        return text
    return f"{parts[0]}/…"
