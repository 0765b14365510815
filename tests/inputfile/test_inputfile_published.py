"""The published example, template and page, as they are."""

import re
import textwrap
from pathlib import Path

import pytest

from commands.inputfile.read import read_input_file

_CODE = re.compile(r"(?P<indent> *)\.\. code-tab:: (?P<format>yaml|json)$")


def code_blocks(page: str) -> list[tuple[int, str, str]]:
    """(line of the directive, format, dedented text) of each code block of the page."""
    lines = page.splitlines()
    blocks = []
    for number, line in enumerate(lines, 1):
        found = _CODE.match(line)
        if found:
            block: list[str] = []
            for following in lines[number:]:
                if following.strip() and len(following) - len(following.lstrip()) <= len(found["indent"]):
                    break
                block.append(following)
            blocks.append((number, found["format"], textwrap.dedent("\n".join(block)).strip("\n") + "\n"))
    return blocks


# Line of the directive -> what is wrong: code, text of the line that is pointed at, and words of the message.
FIVE = {
    350: [("indentation", "coord_x: 27", "line up under object_name")],
    387: [("missing-comma", '"notes": "the subject explored', 'A comma is missing before "notes"')],
    463: [("placeholder", "...", "left out"), ("placeholder", "...", "left out")],
    624: [("indentation", "coord_x: 27", "line up under object_name")],
    693: [
        ("missing-comma", '"experimenter": [', 'A comma is missing before "experimenter"'),
        ("missing-comma", '"notes": "the subject explored', 'A comma is missing before "notes"'),
        ("missing-bracket", "],", "A } is missing before ]"),
    ],
}


def test_five_blocks_of_the_page_do_not_parse_and_each_gets_the_right_guess(shared: Path) -> None:
    page = (shared / "spec" / "ephys_mass_ingestion.rst.txt").read_text()
    broken = {}
    for number, kind, text in code_blocks(page):
        result = read_input_file(text.encode(), filename=f"block.{kind}")
        if result.stage == 0:
            lines = text.splitlines()
            broken[number] = [(f.code, lines[(f.line or 0) - 1].strip(), str(f)) for f in result.findings]

    assert broken.keys() == FIVE.keys()
    for number, expected in FIVE.items():
        assert len(broken[number]) == len(expected), broken[number]
        for (code, line, message), (its_code, its_line, words) in zip(broken[number], expected, strict=True):
            assert code == its_code
            assert line.startswith(its_line)
            assert words in message


def test_published_example_reads_identically_from_yaml_and_json(shared: Path) -> None:
    folder = shared / "realdata" / "mass_ingest"
    from_yaml = read_input_file((folder / "mass_ingest_example.yml").read_bytes(), filename="example.yml")
    from_json = read_input_file((folder / "mass_ingest_example.json").read_bytes(), filename="example.json")

    assert from_yaml.input_file is not None
    assert from_yaml.input_file == from_json.input_file
    assert len(from_yaml.input_file.sessions) == 3
    assert from_yaml.input_file.sessions[0].room == "2.345"
    assert from_yaml.input_file.clustering[1].group_name == "102_msc_002"
    assert {f.severity for f in from_yaml.findings} == {"notice"}
    assert {f.code for f in from_json.findings} == {"inherits", "text-for-boolean"}


def test_each_empty_field_of_the_published_template_is_a_finding_of_its_own(shared: Path) -> None:
    text = (shared / "realdata" / "mass_ingest" / "mass_ingest_template.yml").read_text()
    result = read_input_file(text.encode(), filename="template.yml")

    empty = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.fullmatch(r"\s+(?:- )?(?:\w+:|-)\s*", line.split("#")[0])
        and not re.match(
            r"\s+(?:- )?(experimenter|probe_association|tasks|objects|cue_cards|curtains|clustering|sessions):",
            line,
        )
    ]
    found = [finding for finding in result.findings if finding.code == "no-value"]
    assert [finding.line for finding in found] == empty
    assert len(empty) > 40
    assert result.input_file is None


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_blocks_that_parse_reach_stage_1(shared: Path, kind: str) -> None:
    page = (shared / "spec" / "ephys_mass_ingestion.rst.txt").read_text()
    reached = [
        read_input_file(text.encode(), filename=f"block.{its_kind}").stage
        for number, its_kind, text in code_blocks(page)
        if its_kind == kind and number not in FIVE
    ]
    assert reached
    assert set(reached) == {1}
