"""A name belongs to its file: what it means is told by the sessions that it leads to."""

from commands.samples.clusterings import kilosort_output
from tests.correction.corrections import compare, differing
from tests.intake.lab import Lab, document, group, session


def prepared(lab: Lab) -> None:
    lab.record_many(3)
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(*(session(f"date_{n}", name=str(n)) for n in (1, 2, 3)), clustering=[group("g", ["1", "2"])])


def test_renumbered_names_that_mean_the_same_sessions_are_no_difference(lab: Lab) -> None:
    prepared(lab)
    renumbered = document(
        session("date_1", name="7"), session("date_2", name="8"), session("date_3", name="1"),
        clustering=[group("g", ["8", "7"])],
    )  # fmt: skip

    assert lab.upload_bytes(renumbered).clusterings[0].differences == []
    assert not compare(lab, renumbered).plan.replaced


def test_the_same_words_that_mean_other_sessions_are_a_difference_whoever_is_asked(lab: Lab) -> None:
    prepared(lab)
    shifted = document(
        session("date_1", name="3"), session("date_2", name="1"), session("date_3", name="2"),
        clustering=[group("g", ["1", "2"])],
    )  # fmt: skip

    report = lab.upload_bytes(shifted)
    [difference] = report.clusterings[0].differences
    assert difference.field == "sessions"
    assert difference.given == [entry.session for entry in report.sessions[1:]]
    [(name, found)] = differing(compare(lab, shifted)).items()
    assert name == report.clusterings[0].clustering
    assert found == [(difference.field, difference.stored, difference.given)]
