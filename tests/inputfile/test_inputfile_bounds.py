"""Files that are no text, not UTF-8, too large or built to hurt: refused by name, in bounded time."""

import time

import pytest

from commands.inputfile.catalogue import read_catalogue
from commands.inputfile.limits import Limits
from commands.inputfile.read import ReadResult, read_input_file

HEAD = "subject:\n  name: x\n"


def only(
    data: bytes, filename: str = "a.yml", limits: Limits | None = None
) -> tuple[str, int | None, int | None, str]:
    result = read_input_file(data, filename=filename, limits=limits or Limits())
    assert (result.stage, result.input_file, len(result.findings)) == (0, None, 1), result.findings
    finding = result.findings[0]
    assert (finding.stage, finding.severity) == (0, "error")
    return finding.code, finding.line, finding.column, f"{finding.message} {finding.hint}"


@pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_and_32_are_named_with_and_without_byte_order_mark(name: str) -> None:
    code, line, column, words = only((HEAD * 3).encode(name))
    assert (code, line, column) == ("not-utf-8", 1, 1)
    assert name[:6].upper() in words


def test_byte_that_is_not_utf_8_is_told_with_its_place_and_latin_1_reading() -> None:
    code, line, column, words = only((HEAD + "sessions:\n  - location: N:/Søren/a\n").encode("latin-1"))
    assert (code, line, column) == ("not-utf-8", 4, 19)
    assert "0xF8" in words
    assert "byte 48" in words
    assert "Søren" in words


def test_byte_order_mark_is_handled() -> None:
    for text in (HEAD, '{"subject": {"name": "x"}}'):
        with_mark = read_input_file(b"\xef\xbb\xbf" + text.encode())
        assert with_mark.findings == ()
        assert with_mark.input_file == read_input_file(text.encode()).input_file
        assert with_mark.position("") == (1, 1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04" + bytes(100), "zip"),
        (b"\xd0\xcf\x11\xe0" + bytes(range(256)), "Excel"),
        (bytes(range(256)) * 4, "binary"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n", "PDF"),
    ],
)
def test_binary_file_is_named(data: bytes, words: str) -> None:
    code, _, _, message = only(data)
    assert code == "binary-file"
    assert words in message


@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1b", "\x7f"])
def test_control_character_is_told_with_its_place(sign: str) -> None:
    code, line, column, _ = only(f"subject:\n  na{sign}me: x\n".encode())
    assert (code, line, column) == ("control-character", 2, 5)


@pytest.mark.parametrize("data", [b"", b" \n\n", b"---\n", b"# nothing\n", b"null", b"\xef\xbb\xbf"])
def test_empty_file_is_told(data: bytes) -> None:
    assert only(data, filename="")[0] == "empty-file"


@pytest.mark.parametrize("data", [b"- a\n", b"[]", b"5", b'"x"', b"text"])
def test_top_level_that_is_no_mapping_is_told(data: bytes) -> None:
    result = read_input_file(data)
    assert [(f.code, f.path, f.line) for f in result.findings] == [("wrong-type", "", 1)]


def test_file_beyond_the_size_limit_is_refused_unread() -> None:
    data = b"a" * 100_000_000
    code, _, _, words = only(data)
    assert code == "file-too-large"
    assert "100,000,000" in words
    assert f"{10 * 1024 * 1024:,}" in words
    assert only(HEAD.encode(), limits=Limits(input_file_bytes=10))[0] == "file-too-large"


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 5_000_000,
        b"- " * 10_000 + b"a",
        b"? " * 10_000 + b"a",
        b"\n".join(b" " * depth + b"a:" for depth in range(3_000)),
        b"{a: " * 10_000,
    ],
)
@pytest.mark.parametrize("filename", ["a.yml", "a.json"])
def test_depth_of_ten_thousand_is_refused(data: bytes, filename: str) -> None:
    result = read_input_file(data, filename=filename)
    assert result.stage == 0
    assert result.findings[0].code in (
        "nested-too-deeply",
        "too-many-values",
        "json-syntax",
        "yaml-syntax",
        "missing-bracket",
        "key-without-quotes",
    )


def test_depth_limit_is_the_same_for_both_formats() -> None:
    for limit in (3, 32):
        for depth, code in ((limit, "unknown-key"), (limit + 1, "nested-too-deeply")):
            inner = "[" * (depth - 1) + "]" * (depth - 1)
            for text in (
                f'{{"subject": {{"name": "x"}}, "x": {inner}}}',
                f"subject: {{name: x}}\nx: {inner}\n",
            ):
                result = read_input_file(text.encode(), limits=Limits(depth=limit))
                assert [f.code for f in result.findings] == [code]
                assert result.findings[0].line is not None


def test_aliases_that_expand_without_bound_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 15)]
    code, line, _, words = only("\n".join(lines).encode())
    assert code == "aliases-expand-too-far"
    assert line == 7
    assert str(Limits().nodes) in words


def test_aliases_within_bounds_are_read() -> None:
    result = read_input_file(
        b"subject: {name: &n user_1}\nsessions:\n- {location: a, experimenter: *n, tasks: []}\n"
    )
    assert result.input_file is not None
    assert result.input_file.sessions[0].experimenter == ("user_1",)


@pytest.mark.parametrize("text", ["subject: &a\n  name: *a\n", "subject: &a [*a]\n", "&a x: &b {y: [*b]}\n"])
def test_alias_inside_of_what_it_refers_to_is_refused(text: str) -> None:
    assert only(text.encode())[0] == "recursive-alias"


def test_number_of_values_is_bounded() -> None:
    assert only(b"x: [" + b"a, " * 200 + b"]", limits=Limits(nodes=100))[0] == "too-many-values"


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!binary", "!!set", "!mine", "!!python/name:os.system"]
)
def test_tags_are_refused_and_never_constructed(tag: str) -> None:
    code, line, _, words = only(f"subject:\n  name: {tag} {{}}\n".encode())
    assert (code, line) == ("tag", 2)
    assert tag in words


def test_tags_for_text_and_numbers_are_admitted() -> None:
    result = read_input_file(b"subject:\n  name: !!str no\n  datasource_id: !!int 0\n")
    assert result.findings == ()
    assert result.input_file is not None
    assert result.input_file.subject.name == "no"


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "{[a]: b}\n", "? {a: b}\n: c\n"])
def test_key_that_is_a_list_or_mapping_is_refused(text: str) -> None:
    assert only(text.encode())[0] == "key-is-not-text"


def test_not_a_number_and_infinity_are_told_in_both_formats() -> None:
    as_json = read_input_file(b'{"subject": {"name": NaN, "datasource_id": -Infinity}}', filename="a.json")
    assert [f.code for f in as_json.findings] == ["not-finite", "not-finite"]
    session = "subject: {name: x}\nsessions: [{location: a, experimenter: b, tasks: [{task_type: t, task_start: %s}]}]"
    for word in (".inf", "-.INF", ".nan"):
        assert [f.code for f in read_input_file((session % word).encode()).findings] == ["not-finite"]


def test_text_longer_than_its_field_takes_is_an_error_in_both_formats() -> None:
    digits = "9" * 1_000_000
    for text in (f"subject:\n  name: {digits}\n", f'{{"subject": {{"name": {digits}}}}}'):
        (finding,) = read_input_file(text.encode()).findings
        assert finding.code == "text-too-long"
        assert "1,000,000 characters" in finding.message
        assert len(str(finding)) < 300


@pytest.mark.parametrize(("length", "accepted"), [(255, True), (256, False)])
def test_longest_name_is_told_from_one_that_is_too_long(length: int, accepted: bool) -> None:
    result = read_input_file(f"subject: {{name: {'a' * length}}}\n".encode())
    assert (result.input_file is not None) is accepted


@pytest.mark.parametrize("number", ["9223372036854775809", "-9223372036854775809", "1e300", "9" * 300])
def test_number_beyond_64_bits_is_an_error_in_both_formats(number: str) -> None:
    task = f'{{"task_type": "a", "objects": [{{"object_name": "b", "coord_x": {number}, "coord_y": 1}}]}}'
    text = f'{{"subject": {{"name": "x"}}, "sessions": [{{"location": "a", "experimenter": "b", "tasks": [{task}]}}]}}'
    for filename in ("a.json", "a.yml"):
        (finding,) = read_input_file(text.encode(), filename=filename).findings
        assert (finding.code, finding.path) == (
            "number-too-large",
            "sessions[0].tasks[0].objects[0].coord_x",
        )


def test_key_that_is_longer_than_any_is_cut_in_path_and_message() -> None:
    (finding,) = read_input_file(f'{{"subject": {{"name": "x"}}, "{"k" * 5_000}": 1}}'.encode()).findings
    assert finding.code == "unknown-key"
    assert len(finding.path) < 300
    assert len(finding.message) < 300


def test_aliases_count_by_the_characters_that_they_expand_to() -> None:
    text = f'subject: {{name: x}}\nx: &a "{"a" * 900}"\ny: [{", ".join(["*a"] * 20)}]\n'
    assert only(text.encode(), limits=Limits(input_file_bytes=10_000))[0] == "aliases-expand-too-far"
    assert read_input_file(text.encode()).stage == 1
    keys = f"subject: {{name: x}}\nx: &a {{{'k' * 900}: 1}}\ny: [{', '.join(['*a'] * 20)}]\n"
    assert only(keys.encode(), limits=Limits(input_file_bytes=10_000))[0] == "aliases-expand-too-far"


def test_more_tag_directives_than_anybody_needs_are_refused_with_the_line() -> None:
    text = "".join(f"%TAG !a{i}! tag:a{i}\n" for i in range(40)) + "---\nsubject: {name: a}\n"
    code, line, column, _ = only(text.encode())
    assert (code, line, column) == ("too-many-directives", 17, 1)


def test_lone_surrogate_is_told() -> None:
    result = read_input_file(b'{"subject": {"name": "a\\ud800b"}}', filename="a.json")
    assert [(f.code, f.line) for f in result.findings] == [("control-character", 1)]
    assert "U+D800" in result.findings[0].message


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("a.json", HEAD),
        ("a.yml", '{"subject":\n\t{"name": "x"}}'),
        ("", HEAD),
        ("", '{"subject": {"name": "x"}}'),
        ("A.YAML", "{subject: {name: x}}"),
    ],
)
def test_format_is_that_of_the_content(filename: str, text: str) -> None:
    result = read_input_file(text.encode(), filename=filename)
    assert result.findings == ()
    assert result.input_file is not None


def test_strict_json_is_asked_for_where_the_name_says_so() -> None:
    trailing = b'{"subject": {"name": "x"},}'
    assert only(trailing, "a.json")[0] == "trailing-comma"
    assert read_input_file(trailing, filename="a.yml").input_file is not None


def timed(data: bytes, filename: str) -> tuple[float, ReadResult]:
    """With the processor's seconds: what is asserted of them tells linear from quadratic, not fast from slow."""
    started = time.process_time()
    result = read_input_file(data, filename=filename)
    return time.process_time() - started, result


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": x' + b" " * 3_000_000 + b"y}",
        b"a: x" + b" " * 3_000_000 + b"y: z: 1",
        b"{'a': " + b"\\'" * 500_000,
        b'{"a": ' + b'"' * 500_000,
        b'{"a" 1, "b": ' + b'{"a":' * 300_000,
        b"a: b: c\n" + b"[" * 1_000_000,
        b"subject: {name: x," + b",".join(b" nama%d: 1" % n for n in range(30_000)) + b"}",
        b"\t" * 500_000 + b"a: b",
        b'{"a": ' + b"/*" * 500_000,
    ],
    ids=range(9),
)
@pytest.mark.parametrize("filename", ["a.yml", "a.json"])
def test_time_is_bounded_for_text_that_invites_backtracking(data: bytes, filename: str) -> None:
    seconds, result = timed(data, filename)
    assert result.findings
    assert seconds < 30


@pytest.mark.parametrize("size", [1, 200_000])
def test_repetitions_in_a_long_list_are_found_in_linear_time(size: int) -> None:
    items = ", ".join(["user_1", "user_2"] * size)
    text = f"subject: {{name: x}}\nsessions: [{{location: a, experimenter: [{items}], tasks: []}}]\n"
    seconds, result = timed(text.encode(), "a.yml")
    assert result.input_file is not None
    assert result.input_file.sessions[0].experimenter == ("user_1", "user_2")
    assert seconds < 30


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (b"sessions: [a, b]\nsubject: {name: x}\nclustering: [a, b]\n", "a.yml"),
        (b'{"clustering": [1, 2, 3, 4]}', "a.json"),
    ],
)
def test_more_entries_than_the_limit_are_refused_at_the_longest_list(data: bytes, filename: str) -> None:
    code, line, column, words = only(data, filename, Limits(entries=3))

    assert (code, line) == ("too-many-entries", 1) and column is not None
    assert "4 entries, sessions and clusterings together" in words and "at most 3" in words


def test_more_facts_than_the_limit_are_no_catalogue() -> None:
    data = b"reference.Experimenter: [a, b]\nsubjects: [{name: x, probes: [{probe: p, insertion_time: '2023-01-01 00:00:00'}]}]\n"

    assert read_catalogue(data, limits=Limits(catalogue_facts=4)).catalogue is not None
    [finding] = read_catalogue(data, limits=Limits(catalogue_facts=3)).findings
    assert (
        finding.code == "too-many-facts" and "4 values" in finding.message and "at most 3" in finding.message
    )
    [finding] = read_catalogue(b"a: [" + b"b, " * 120 + b"]", limits=Limits(catalogue_facts=1)).findings
    assert finding.code == "too-many-values"
