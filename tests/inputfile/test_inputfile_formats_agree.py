"""The same document in YAML and in JSON gives the same entries and the same findings."""

import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from commands.inputfile.read import ReadResult, read_input_file
from tests.inputfile.documents import block_yaml, campaign, campaign_json, campaign_yaml
from tests.length import TIMES

texts = st.one_of(
    st.sampled_from(
        [
            "user_1",
            "12345_1",
            "yes",
            "true",
            "no",
            "2.340",
            "null",
            "~",
            "2023-05-01 10:00:00",
            "N:/a/b",
            "a: b",
            " x",
            "",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly right: each value may be junk, any key may be missing, and a key too many may be there."""

    def often(strategy: Any) -> Any:
        return st.one_of(strategy, strategy, strategy, junk)

    right = st.fixed_dictionaries(
        {key: often(value) for key, value in required.items()},
        optional={key: often(value) for key, value in optional.items()},
    )
    return st.one_of(
        right,
        right,
        right,
        st.builds(lambda a, b: {**a, **b}, right, st.dictionaries(texts, junk, max_size=1)),
    )


seconds = st.one_of(
    st.integers(0, 10**5), st.floats(0, 1e5), st.booleans(), st.sampled_from(["yes", "true", "5"])
)
coordinates = {"coord_x": seconds, "coord_y": seconds}
times = st.sampled_from(
    ["2023-04-05 12:13:14", "2023-04-05T12:13", True, "yes", "2023-04-05 12:13:14Z", "2023-13-01 00:00"]
)
tasks = st.lists(
    mapping(
        {"task_type": texts},
        {
            "arena_apparatus": texts,
            "task_start": seconds,
            "task_stop": seconds,
            "notes": texts | st.booleans(),
            "light_level": texts,
            "objects": st.lists(mapping({"object_name": texts, **coordinates}, {"note": texts}), max_size=2),
            "cue_cards": st.lists(mapping({"card_name": texts, **coordinates}, {"note": texts}), max_size=2),
            "curtains": st.lists(
                mapping({"start_point": texts, "direction": texts, "coverage": seconds}, {}), max_size=2
            ),
        },
    ),
    max_size=3,
)
clusterings = st.lists(
    mapping({"curator": texts, "location": texts}, {"curation_time": times, "notes": texts}), max_size=2
)
sessions = st.lists(
    mapping(
        {"location": texts, "experimenter": texts | st.lists(texts, max_size=3), "tasks": tasks},
        {
            "clustering": st.booleans() | clusterings | st.sampled_from(["yes", "false"]),
            "probe_association": st.dictionaries(texts, texts, max_size=2),
            "room": texts | st.floats(0, 9),
            "project": texts | st.lists(texts, max_size=2),
            "notes": texts,
            "name": texts,
        },
    ),
    max_size=3,
)
groups = st.lists(
    mapping(
        {"curator": texts, "location": texts, "group_name": texts, "sessions": st.lists(texts, max_size=3)},
        {"curation_time": times, "notes": texts},
    ),
    max_size=2,
)
documents = mapping(
    {"subject": mapping({"name": texts | st.integers()}, {"datasource_id": st.just(0)})},
    {"sessions": sessions, "clustering": groups},
)


def told(result: ReadResult) -> list[tuple[int, str, str, str, str]]:
    return sorted((f.stage, f.severity, f.code, f.path, f.message) for f in result.findings)


@given(documents)
@settings(max_examples=120 * TIMES)
def test_document_in_yaml_and_in_json_gives_the_same_entries_and_findings(document: Any) -> None:
    from_json = read_input_file(json.dumps(document).encode(), filename="a.json")
    from_yaml = read_input_file(block_yaml(document).encode(), filename="a.yml")
    assert from_yaml.stage == from_json.stage == 1
    assert from_yaml.input_file == from_json.input_file
    assert from_yaml.left_out_names == from_json.left_out_names
    assert told(from_yaml) == told(from_json)


@given(junk)
def test_any_document_in_yaml_and_in_json_gives_the_same_findings(document: Any) -> None:
    from_json = read_input_file(json.dumps(document).encode(), filename="a.json")
    from_yaml = read_input_file(block_yaml(document).encode(), filename="a.yml")
    assert told(from_yaml) == told(from_json)


@given(documents)
def test_file_without_errors_hands_on_every_entry(document: Any) -> None:
    result = read_input_file(json.dumps(document).encode(), filename="a.json")
    if any(finding.severity == "error" for finding in result.findings):
        return
    assert result.input_file is not None
    assert len(result.input_file.sessions) == len(document.get("sessions", ()))
    assert len(result.input_file.clustering) == len(document.get("clustering", ()))


def test_campaign_reads_alike_from_both_formats_and_from_a_plain_dump() -> None:
    from_yaml = read_input_file(campaign_yaml(50), filename="a.yml")
    assert from_yaml.findings == ()
    assert from_yaml.input_file == read_input_file(campaign_json(50), filename="a.json").input_file
    assert from_yaml.input_file == read_input_file(block_yaml(campaign(50)).encode()).input_file
    assert from_yaml.input_file is not None
    assert len(from_yaml.input_file.sessions) == 50
