"""``daybook trace``: what is printed, what is written, and what is refused."""

import json
from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, write_input_file
from tests.lineage.drawn import read_dot, read_mermaid
from tests.lineage.provenance import checked

pytestmark = pytest.mark.both_ways

TREE = """\
├─ came from
│  ├─ subject_1.yml,"""


def uploaded(stocked: Run, sample: SampleLab) -> str:
    report = stocked("upload", str(write_input_file(sample, sessions=2)), "--json").json
    session: str = report["sessions"][0]["session"]
    return session


def test_the_text_is_a_tree_of_one_record(stocked: Run, sample: SampleLab) -> None:
    name = uploaded(stocked, sample)

    ended = stocked("trace", name)

    assert ended.exit == 0 and ended.err == ""
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"{name} inserted, ") and "\n".join(lines[1:]).startswith(TREE)
    assert any("sessions[0], line " in line for line in lines)
    assert any(f"{int(name[1:])}  " in line and "SessionInsertRequested: " in line for line in lines)


def test_a_location_is_a_reference_too(stocked: Run, sample: SampleLab) -> None:
    name = uploaded(stocked, sample)
    location = stocked("show", name, "--json").json["location"]

    assert stocked("trace", location).out == stocked("trace", name).out


def test_every_format_is_about_the_same_nodes(stocked: Run, sample: SampleLab, folder: Path) -> None:
    name = uploaded(stocked, sample)

    document = stocked("trace", name, "--json").json

    assert (document["ok"], document["ref"]) == (True, name)
    ids = {node["id"] for node in document["nodes"]}
    assert {end for edge in document["edges"] for end in (edge["source"], edge["target"])} <= ids
    assert json.loads(stocked("trace", name, "--format", "json").out) == document
    drawn = {node["id"] for node in document["nodes"] if node["kind"] != "program"}
    assert set(read_dot(stocked("trace", name, "--format", "dot").out).nodes) == drawn
    assert len(read_mermaid(stocked("trace", name, "--format", "mermaid").out).nodes) == len(drawn)
    provenance = checked(json.loads(stocked("trace", name, "--format", "prov").out))
    assert provenance["prefix"]["ledger"].startswith("urn:daybook:ledger:daybook%2F")


def test_it_can_be_written_to_a_new_file_only(stocked: Run, sample: SampleLab, folder: Path) -> None:
    name = uploaded(stocked, sample)

    first = stocked("trace", name, "--format", "dot", "-o", "trace.dot")
    second = stocked("trace", name, "--format", "mermaid", "-o", "trace.dot")

    assert (first.exit, first.out) == (0, "Wrote trace.dot.\n")
    assert second.exit == 2 and "there already" in second.err
    assert (folder / "trace.dot").read_text() == stocked("trace", name, "--format", "dot").out


def test_a_bounded_look_says_what_it_left_out(stocked: Run, sample: SampleLab) -> None:
    upload = stocked("show", uploaded(stocked, sample), "--json").json["upload"]

    assert "1 more sessions (1 inserted)" in stocked("trace", upload, "--limit", "1").out
    assert "more sessions" not in stocked("trace", upload).out


def test_an_earlier_moment_is_traced_as_it_was(stocked: Run, sample: SampleLab) -> None:
    name = uploaded(stocked, sample)
    requested = int(name[1:])

    earlier = stocked("trace", name, "--as-of", str(requested), "--json").json

    (session,) = [node for node in earlier["nodes"] if node["id"] == name]
    assert session["status"] == "pending"
    assert max(node["position"] for node in earlier["nodes"] if node["kind"] == "event") == requested


def test_what_cannot_be_traced_is_refused(stocked: Run, sample: SampleLab) -> None:
    assert stocked("trace", "s999999").exit == 1
    assert stocked("trace", "s1", "--json", "--format", "dot").exit == 2
    assert stocked("trace").exit == 2
