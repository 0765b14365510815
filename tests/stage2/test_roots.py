"""Locations: every spelling of one directory is one text, and no text leads out of its root."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.roots import MAX_LOCATION_BYTES, LocationError, Roots, normalise

LAB = Roots.of({"N:": ["/mnt/N"], "P:": ["/mnt/p1", "/mnt/p2"], r"\\server\share": ["/mnt/share"]})


def code_of(location: str, roots: Roots = LAB) -> str:
    with pytest.raises(LocationError) as raised:
        normalise(location, roots)
    assert raised.value.message.endswith(".")
    assert raised.value.hint
    return raised.value.code


@pytest.mark.parametrize(
    "spelling",
    [
        "N:/a/B",
        r"N:\a\B",
        "N:/a/B/",
        "n:/a//B/.",
        "N:\\a/B\\",
        "/mnt/N/a/B",
        "/mnt/N//a/./B/",
        r"\mnt\N\a\B",
        "N:/./a/B",
    ],
)
def test_spellings_of_one_location_are_one_text(spelling):
    assert normalise(spelling, LAB) == "N:/a/B"


@pytest.mark.parametrize(
    ("location", "normalised"),
    [
        ("N:", "N:"),
        ("n:\\", "N:"),
        ("/mnt/p1/x", "P:/x"),
        ("/mnt/p2/x", "P:/x"),
        (r"\\SERVER\Share\Dir\x", "//server/share/Dir/x"),
        ("//server/share", "//server/share"),
        ("/mnt/share/Dir", "//server/share/Dir"),
        ("N:/2022-03-04_10:11:12", "N:/2022-03-04_10:11:12"),
        ("N:/con/trailing dot./ b ", "N:/con/trailing dot./ b "),
    ],
)
def test_location_takes_its_root_s_prefix(location, normalised):
    assert normalise(location, LAB) == normalised


def test_case_below_the_drive_is_kept():
    assert normalise("n:/A", LAB) != normalise("n:/a", LAB)


def test_unicode_spellings_of_one_name_are_one_location():
    decomposed = unicodedata.normalize("NFD", "N:/måling/Ø")
    assert decomposed != "N:/måling/Ø"
    assert normalise(decomposed, LAB) == normalise("N:/måling/Ø", LAB) == "N:/måling/Ø"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("", "location-not-absolute"),
        ("recordings/a", "location-not-absolute"),
        ("N:a", "location-not-absolute"),
        ("./N:/a", "location-not-absolute"),
        (" N:/a", "location-not-absolute"),
        ("~/a", "location-not-absolute"),
        ("//server", "location-not-absolute"),
        ("file:///mnt/N/a", "location-not-absolute"),
        ("/mnt/Nothing/a", "location-outside-roots"),
        ("/mnt/n/a", "location-outside-roots"),
        ("/", "location-outside-roots"),
        ("Q:/a", "location-outside-roots"),
        (r"\\server\other\a", "location-outside-roots"),
        ("//mnt/N/a", "location-outside-roots"),
        ("N:/a/../b", "location-with-dot-dot"),
        ("N:\\a\\..", "location-with-dot-dot"),
        ("../a", "location-with-dot-dot"),
        ("N:/a\0b", "location-with-control-character"),
        ("N:/a\nb", "location-with-control-character"),
        ("N:/a\x1b[2Jb", "location-with-control-character"),
        ("N:/a\ud800", "location-with-control-character"),
        ("N:/" + "a" * MAX_LOCATION_BYTES, "location-too-long"),
        ("N:/" + "å" * (MAX_LOCATION_BYTES // 2), "location-too-long"),
    ],
)
def test_unusable_location_says_why(location, code):
    assert code_of(location) == code


def test_messages_hold_no_control_characters():
    with pytest.raises(LocationError) as raised:
        normalise("N:/a\x1b[2J\ud800\n", LAB)
    assert str(raised.value).isprintable()


def test_without_roots_a_location_is_a_path_of_this_machine():
    anywhere = Roots.of({})
    assert normalise("/data//a/", anywhere) == "/data/a"
    assert normalise("/", anywhere) == "/"
    assert code_of("N:/a", anywhere) == "location-outside-roots"
    assert code_of("/data/../a", anywhere) == "location-with-dot-dot"


def test_innermost_root_wins_by_prefix_and_by_directory():
    nested = Roots.of({"N:": ["/mnt/N"], "R:": ["/mnt/N/rec"], "N:/archive": ["/tape"]})
    assert normalise("R:/a", nested) == "R:/a"
    assert normalise("/mnt/N/rec/a", nested) == "R:/a"
    assert normalise("N:/rec/a", nested) == "R:/a"
    assert normalise("N:/records/a", nested) == "N:/records/a"
    assert normalise("N:/archive/a", nested) == normalise("/tape/a", nested) == "N:/archive/a"


def test_directory_hidden_behind_another_root_s_prefix_is_refused():
    nested = Roots.of({"N:": ["/mnt/N"], "N:/archive": ["/tape"]})
    assert code_of("/mnt/N/archive/a", nested) == "location-outside-roots"


def test_prefixes_of_the_same_directories_are_one_root():
    aliased = Roots.of({"N:": ["/mnt/N"], r"\\server\n": ["/mnt/N/"]})
    assert normalise(r"\\server\n\a", aliased) == normalise("N:/a", aliased) == "N:/a"


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"N:": []}, "has no directory"),
        ({"N:": ["mnt/N"]}, "not an absolute path"),
        ({"N:": ["M:/N"]}, "not an absolute path of this machine"),
        ({"N:": ["/mnt/../N"]}, "holds"),
        ({"recordings": ["/mnt/N"]}, "not an absolute path"),
        ({"N:": ["/mnt/N"], "n:/": ["/mnt/M"]}, "configured twice"),
        ({"N:": ["/mnt/N"], "M:": ["/mnt/N", "/mnt/M"]}, "two roots"),
        ({"N:": ["/mnt/N", "/mnt/N/b"]}, "two names"),
        ({"N:": ["/mnt/N", "/mnt/M"], "R:": ["/mnt/N/r"]}, "two names"),
    ],
)
def test_configuration_in_which_a_directory_has_two_names_is_refused(configuration, words):
    with pytest.raises(ValueError, match=words):
        Roots.of(configuration)


NAMES = st.sampled_from(["a", "b", "N", "mnt", "å", "a b", "c:", "...", "A"])
PREFIXES = st.sampled_from(["N:", "N:/a", "N:/a/b", "P:", "//s/h", "//s/h/a", "/a", "/a/b", "/mnt"])
PLACES = st.sampled_from(["/a", "/a/b", "/mnt", "/mnt/a", "/mnt/a/b", "/mnt/b", "/"])


@st.composite
def some_roots(draw):
    configuration = draw(st.dictionaries(PREFIXES, st.lists(PLACES, min_size=1, max_size=2), min_size=1))
    try:
        return Roots.of(configuration)
    except ValueError:
        return Roots.of({"N:": ["/mnt/a"], "/a": ["/mnt/a/b"], "N:/a": ["/mnt/b"]})


@st.composite
def respelled(draw, location: str):
    """The same location with other separators, empty and ``.`` names, and another case of its drive."""
    if location[1:2] == ":":
        location = draw(st.sampled_from([location, location[0].lower() + location[1:]]))
    head = 2 if location.startswith("//") else 1
    out = location[:head]
    for character in location[head:]:
        out += draw(st.sampled_from(["/", "\\", "//", "/./", "\\.\\"])) if character == "/" else character
    end = draw(st.sampled_from(["", "/", "/.", "\\"])) if out[-1] not in "/\\" else ""
    return draw(st.sampled_from([out, unicodedata.normalize("NFD", out)])) + end


@given(st.data(), some_roots(), st.lists(NAMES, max_size=4))
def test_normalising_twice_changes_nothing_and_spelling_does_not_matter(data, roots, names):
    start = data.draw(st.sampled_from(sorted({*roots.directories, *sum(roots.directories.values(), ())})))
    location = _under(start, names)
    try:
        normalised = normalise(location, roots)
    except LocationError as problem:
        assert problem.code == "location-outside-roots"
        return
    assert normalise(normalised, roots) == normalised
    assert normalise(data.draw(respelled(location)), roots) == normalised


DRIVES = st.sampled_from(["N:", "N:/a", "N:/a/b", "M:", "//s/h", "//s/h/a"])


@given(st.data(), st.dictionaries(DRIVES, PLACES, min_size=1, max_size=4), st.lists(NAMES, max_size=3))
def test_two_locations_are_one_text_exactly_when_they_are_one_path(data, mounted, names):
    try:
        roots = Roots.of({prefix: [place] for prefix, place in mounted.items()})
    except ValueError:
        return
    paths: dict[str, str] = {}
    for start in data.draw(st.lists(st.sampled_from([*mounted, *mounted.values()]), min_size=2)):
        location = _under(start, names)
        try:
            key = normalise(location, roots)
        except LocationError:
            hidden = any(f"{a}/".startswith(f"{b}/") for a in mounted for b in mounted if a != b)
            assert start in mounted.values() or hidden
            continue
        path = _path_by_longest_prefix(location, mounted)
        assert _path_by_longest_prefix(key, mounted) == path
        assert paths.setdefault(path, key) == key


def _under(start, names):
    return "/".join([start.rstrip("/"), *names]) or "/"


def _path_by_longest_prefix(location, mounted):
    """What a location means, said in the simplest way: the oracle."""
    prefixes = [prefix for prefix in mounted if f"{location}/".startswith(f"{prefix}/")]
    if not prefixes:
        return location
    longest = max(prefixes, key=len)
    return mounted[longest].rstrip("/") + location[len(longest) :] or "/"


@given(st.text(max_size=30))
def test_any_text_is_normalised_or_refused(text):
    for roots in (LAB, Roots.of({})):
        try:
            assert normalise(normalise(text, roots), roots) == normalise(text, roots)
        except LocationError as problem:
            assert problem.message.isprintable()
