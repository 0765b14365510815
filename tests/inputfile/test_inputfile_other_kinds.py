"""A file of another kind than it was given as is named by its kind, with what takes it."""

from commands.inputfile.catalogue import read_catalogue
from commands.inputfile.read import read_input_file, read_tasks

CATALOGUE = b"reference.Experimenter: [user_1]\nsubjects: []\n"
INPUT = b'subject: {name: "12345"}\nsessions: []\n'


def test_a_catalogue_is_no_input_file() -> None:
    [finding] = read_input_file(CATALOGUE).findings

    assert finding.code == "catalogue-file" and [step.action for step in finding.next_steps] == [
        "load-catalogue"
    ]


def test_an_input_file_is_no_catalogue() -> None:
    [finding] = read_catalogue(INPUT).findings

    assert finding.code == "input-file" and [step.action for step in finding.next_steps] == ["upload"]


def test_an_input_file_is_no_list_of_tasks() -> None:
    tasks, [finding] = read_tasks(INPUT)

    assert tasks is None and [step.action for step in finding.next_steps] == ["amend"]


def test_a_file_with_keys_of_both_kinds_is_read_as_what_it_was_given_as() -> None:
    codes = {finding.code for finding in read_input_file(CATALOGUE + INPUT).findings}

    assert codes == {"unknown-key"}
