"""What the search for the words that were meant costs is bounded for a whole file, however many of its words are wrong.

The work is counted, not timed.
"""

from pathlib import Path

import pytest

from commands.inputfile import nearest, reference_values
from commands.inputfile.limits import DEFAULT_LIMITS
from commands.inputfile.reference_values import ReferenceValues
from commands.recordings import search
from commands.recordings.roots import LocationError, Roots
from commands.recordings.search import Search

SESSION = '- {{location: "N:/a{0}", name: "{1}", tasks: [], experimenter: [{2}]}}\n'


def alike(number: int, length: int) -> str:
    """Words of one length and one first letter, of which none is far from the others."""
    return f"{number:04}".rjust(length, "a")


def test_values_get_no_more_words_than_are_kept(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    worded = 0
    words = ReferenceValues._words

    def counted(self: ReferenceValues, *arguments: str) -> reference_values.Said:
        nonlocal worded
        worded += 1
        return words(self, *arguments)

    monkeypatch.setattr(ReferenceValues, "_words", counted)
    wrong = 12_000

    outcome = checked(SESSION.format(1, "x", ", ".join(f"wrong_{n}" for n in range(wrong))))

    assert worded <= DEFAULT_LIMITS.findings
    assert outcome.result.more.errors + DEFAULT_LIMITS.findings >= wrong
    assert {finding.code for finding in outcome.result.more.placed} == {"unknown-value"}


def test_names_are_compared_letter_by_letter_up_to_a_bound(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    slips = nearest._slips

    def counted(one: str, other: str, most: float) -> float:
        nonlocal compared
        compared += len(one) * len(other)
        return slips(one, other, most)

    monkeypatch.setattr(nearest, "_slips", counted)
    monkeypatch.setattr(reference_values, "_STEPS", 100_000)
    named = "".join(SESSION.format(n, alike(n, 64), "user_1") for n in range(300))
    meant = ", ".join(alike(n, 65) for n in range(500, 700))

    outcome = checked(named, f"- {{curator: user_1, location: N:/c, group_name: g, sessions: [{meant}]}}\n")

    assert sum(finding.code == "unknown-session" for finding in outcome.result.findings) == 200
    assert 0 < compared <= 100_000 + 300 * 65 * 66  # the one that goes over the bound is finished


def test_names_on_disk_are_compared_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    matches = search.get_close_matches

    def counted(word: str, choices, **options: float) -> list[str]:
        nonlocal compared
        compared += len(choices) * len(word) ** 2
        return matches(word, choices, **options)

    monkeypatch.setattr(search, "get_close_matches", counted)
    monkeypatch.setattr(search, "_STEPS", 100_000)
    for number in range(50):
        (tmp_path / alike(number, 40)).mkdir()
    looking = Search(Roots.of({"N:": [str(tmp_path)]}))

    hints = []
    for number in range(500, 520):
        with pytest.raises(LocationError) as caught:
            looking.directory(f"N:/{alike(number, 40)}")
        hints.append(caught.value.hint)

    assert 0 < compared <= 100_000 + 51 * 40 * 40
    assert hints[0].startswith("Did you mean") and not hints[-1].startswith("Did you mean")


def test_a_directory_with_too_many_names_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_LISTED", 3)
    for number in range(4):
        (tmp_path / f"session_{number}").mkdir()

    with pytest.raises(LocationError) as caught:
        Search(Roots.of({"N:": [str(tmp_path)]})).directory("N:/session_7")

    assert caught.value.hint.startswith("Check the spelling")
