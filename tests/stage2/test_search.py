"""Finding a location on disk: inside its root or not at all, and every failure says which one it is."""

import errno
import os
import shutil
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.recordings.roots import LocationError, Roots
from commands.recordings.search import Search, resolve


@pytest.fixture
def root(tmp_path):
    (tmp_path / "N" / "12345" / "session_1").mkdir(parents=True)
    (tmp_path / "N" / "12345" / "session_2").mkdir()
    (tmp_path / "N" / "notes.txt").write_text("a file")
    (tmp_path / "outside" / "secret").mkdir(parents=True)
    return tmp_path / "N"


@pytest.fixture
def roots(root):
    return Roots.of({"N:": [str(root)]})


def problem(location: str, roots: Roots) -> LocationError:
    with pytest.raises(LocationError) as raised:
        resolve(location, roots)
    assert raised.value.message.endswith(".")
    assert raised.value.hint.endswith((".", "?"))
    return raised.value


def test_directory_is_found_by_every_spelling(root, roots):
    for spelling in ("N:/12345/session_1", r"n:\12345\session_1", f"{root}/12345//session_1/"):
        assert resolve(spelling, roots) == root / "12345" / "session_1"
    assert resolve("N:", roots) == root


def test_directories_of_a_root_are_searched_in_order(tmp_path):
    for name in ("p1/a", "p2/b"):
        (tmp_path / name).mkdir(parents=True)
    roots = Roots.of({"P:": [str(tmp_path / "p1"), str(tmp_path / "p2")]})
    assert resolve("P:/a", roots) == tmp_path / "p1" / "a"
    assert resolve("P:/b", roots) == tmp_path / "p2" / "b"


def test_directory_under_two_mounts_is_ambiguous_and_both_are_named(tmp_path):
    for name in ("p1/a", "p2/a"):
        (tmp_path / name).mkdir(parents=True)
    found = problem("P:/a", Roots.of({"P:": [str(tmp_path / "p1"), str(tmp_path / "p2")]}))
    assert found.code == "location-ambiguous"
    assert str(tmp_path / "p1" / "a") in found.message
    assert str(tmp_path / "p2" / "a") in found.message


def test_one_directory_mounted_twice_is_not_ambiguous(tmp_path, root):
    (tmp_path / "again").symlink_to(root)
    roots = Roots.of({"N:": [str(root), str(tmp_path / "again")]})
    assert resolve("N:/12345", roots) == root / "12345"


def test_root_that_is_a_symlink_is_followed(tmp_path, root):
    (tmp_path / "mount").symlink_to(root)
    assert resolve("N:/12345", Roots.of({"N:": [str(tmp_path / "mount")]})) == root / "12345"


def test_missing_directory_names_what_is_missing_and_what_may_be_meant(root, roots):
    found = problem("N:/12345/Session_1", roots)
    assert found.code == "location-not-found"
    assert f'there is no "Session_1" in {root}/12345' in found.message
    assert found.hint == 'Did you mean "N:/12345/session_1"?'
    assert problem("N:/12354/session_1", roots).hint == 'Did you mean "N:/12345/session_1"?'
    assert "Check the spelling" in problem("N:/nothing_like_it/session_1", roots).hint


@pytest.mark.parametrize("there", [True, False], ids=["empty mount point", "no mount point"])
def test_unmounted_root_is_told_from_a_missing_directory(tmp_path, there):
    if there:
        (tmp_path / "N").mkdir()
    found = problem("N:/a", Roots.of({"N:": [str(tmp_path / "N")]}))
    assert found.code == "root-not-mounted"
    assert str(tmp_path / "N") in found.message


def test_one_unmounted_directory_of_two_is_named_when_nothing_was_found(tmp_path, root):
    roots = Roots.of({"N:": [str(root), str(tmp_path / "gone")]})
    assert resolve("N:/12345", roots) == root / "12345"
    found = problem("N:/99999", roots)
    assert found.code == "root-not-mounted"
    assert str(tmp_path / "gone") in found.message
    assert f"{root}, " not in found.message


@pytest.mark.parametrize("location", ["N:/notes.txt", "N:/notes.txt/session_1"])
def test_file_is_not_a_directory(root, roots, location):
    found = problem(location, roots)
    assert found.code == "location-not-directory"
    assert str(root / "notes.txt") in found.message


def test_symlink_inside_the_root_is_followed(root, roots):
    (root / "latest").symlink_to("12345/session_2")
    (root / "subject").symlink_to(root / "12345")
    assert resolve("N:/latest", roots) == root / "12345" / "session_2"
    assert resolve("N:/subject/session_1", roots) == root / "12345" / "session_1"


@pytest.mark.parametrize("location", ["N:/away", "N:/away/secret", "N:/up/outside/secret", "N:/twin"])
def test_symlink_out_of_the_root_is_refused(tmp_path, root, roots, location):
    (root / "away").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to("..")
    (tmp_path / "N2").mkdir()  # a path that only begins like the root's
    (root / "twin").symlink_to(tmp_path / "N2")
    assert problem(location, roots).code == "location-escapes-root"


def test_symlink_into_another_root_is_refused(tmp_path, root):
    (tmp_path / "M" / "a").mkdir(parents=True)
    (root / "m").symlink_to(tmp_path / "M" / "a")
    assert problem("N:/m", Roots.of({"N:": [str(root)], "M:": [str(tmp_path / "M")]})).code == (
        "location-escapes-root"
    )


def test_symlinks_in_a_circle_and_to_nowhere(root, roots):
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "nowhere").symlink_to("not_there")
    assert problem("N:/one", roots).code == "location-symlink-loop"
    assert problem("N:/one/session_1", roots).code == "location-symlink-loop"
    found = problem("N:/nowhere", roots)
    assert found.code == "location-not-found"
    assert "symbolic link" in found.message


def test_symlink_to_a_file_is_not_a_directory(root, roots):
    (root / "text").symlink_to("notes.txt")
    assert problem("N:/text", roots).code == "location-not-directory"


@pytest.mark.parametrize("name", ["a" * 256, "å" * 128])
def test_name_that_no_file_system_takes_is_too_long(roots, name):
    assert problem(f"N:/{name}", roots).code == "location-too-long"
    assert problem(f"N:/{name}/session_1", roots).code == "location-too-long"


def test_path_that_is_too_long_as_a_whole(root, roots):
    assert problem("N:/" + "/".join(["a" * 200] * 30), roots).code in (
        "location-too-long",
        "location-not-found",
    )


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o744])
def test_directory_that_the_server_may_not_read(mode):
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    with tempfile.TemporaryDirectory() as mount:
        roots = Roots.of({"N:": [mount]})
        Path(mount).chmod(0o755)
        closed = Path(mount, "closed")
        closed.mkdir()
        (closed / "inner").mkdir()
        closed.chmod(mode)
        os.seteuid(65534)
        try:
            assert problem("N:/closed", roots).code == "location-not-readable"
            if mode != 0o711:
                assert problem("N:/closed/inner", roots).code == "location-not-readable"
        finally:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ESTALE, "root-not-mounted"),
        (errno.ENOTCONN, "root-not-mounted"),
        (errno.EIO, "location-unreachable"),
        (errno.ENOMEM, "location-unreachable"),
    ],
)
def test_failing_disk_is_a_problem_not_a_traceback(roots, monkeypatch, number, code):
    def fails(path):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr("commands.recordings.search.os.lstat", fails)
    assert problem("N:/12345", roots).code == code


def test_directory_that_vanishes_is_missed_by_the_same_search(root, roots):
    search = Search(roots)
    assert search.directory("N:/12345/session_1")
    shutil.rmtree(root / "12345")
    with pytest.raises(LocationError) as raised:
        search.directory("N:/12345/session_1")
    assert raised.value.code == "location-not-found"


def test_directory_that_turns_into_a_link_out_is_refused_by_the_same_search(tmp_path, root, roots):
    search = Search(roots)
    assert search.directory("N:/12345/session_1")
    (root / "12345" / "session_1").rmdir()
    (root / "12345" / "session_1").symlink_to(tmp_path / "outside")
    with pytest.raises(LocationError) as raised:
        search.directory("N:/12345/session_1")
    assert raised.value.code == "location-escapes-root"


def test_either_unicode_spelling_on_disk_is_found(root, roots):
    decomposed = unicodedata.normalize("NFD", "måling")
    (root / decomposed / "Ø").mkdir(parents=True)
    assert resolve("N:/måling/Ø", roots) == root / decomposed / "Ø"
    if not (root / "måling").exists():
        (root / "måling").mkdir()
        assert problem("N:/måling/Ø", roots).code == "location-ambiguous"


def test_without_roots_paths_of_this_machine_are_found(root):
    assert resolve(f"{root}/12345", Roots.of({})) == root / "12345"
    assert resolve("/", Roots.of({})) == Path("/")
    assert problem(f"{root}/nothing", Roots.of({})).code == "location-not-found"


NAMES = ["a", "b", "link", "ø"]
TARGETS = [
    "a",
    "b",
    "..",
    "../..",
    ".",
    "link",
    "../outside",
    "/",
    "../N/a",
    "a/b",
    "ø",
    "missing",
    "{top}/a",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
            st.one_of(st.none(), st.sampled_from(TARGETS)),
        ),
        max_size=8,
    ),
    st.lists(st.lists(st.sampled_from(NAMES), max_size=4), min_size=1, max_size=6),
)
def test_nothing_outside_the_root_is_ever_found(made, asked):
    """Whatever links a tree holds: what is found is what the operating system finds, inside the root."""
    with tempfile.TemporaryDirectory() as top:
        top = os.path.realpath(top)
        root = Path(top, "N")
        root.mkdir()
        Path(top, "outside", "a").mkdir(parents=True)
        for names, target in made:
            try:
                if target is None:
                    root.joinpath(*names).mkdir(parents=True)
                else:
                    root.joinpath(*names).symlink_to(target.format(top=root))
            except OSError:
                continue
        search = Search(Roots.of({"N:": [str(root)]}))
        for names in asked:
            path = root.joinpath(*names)
            try:
                found = Path(search.directory("/".join(["N:", *names])))
            except LocationError as refused:
                inside = path.exists() and path.resolve().is_relative_to(root)
                assert not inside or _passes_outside(root, names), refused
            else:
                assert found.is_relative_to(root)
                assert found == path.resolve()


def _passes_outside(root, names):
    steps = [root.joinpath(*names[:depth]).resolve() for depth in range(len(names) + 1)]
    return not all(step.is_relative_to(root) and step.is_dir() for step in steps)


def test_many_directories_are_found_with_two_system_calls_each(root, roots, monkeypatch):
    subject = root / "12345"
    names = [f"date_{i}" for i in range(2_000)]
    for name in names:
        (subject / name).mkdir()
    calls = []
    lstat, access = os.lstat, os.access
    monkeypatch.setattr(os, "lstat", lambda *a, **k: calls.append(a) or lstat(*a, **k))
    monkeypatch.setattr(os, "access", lambda *a, **k: calls.append(a) or access(*a, **k))
    search = Search(roots)
    for name in names:
        search.directory(f"N:/12345/{name}")
    assert len(calls) < 2 * len(names) + 30


def test_every_one_of_many_misses_is_told(root, roots):
    for i in range(500):
        (root / "12345" / f"date_{i}").mkdir()
    search = Search(roots)
    for i in range(2_000):
        with pytest.raises(LocationError):
            search.directory(f"N:/12345/dates_{i}_x")
