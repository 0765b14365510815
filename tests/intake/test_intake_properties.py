"""Whatever is uploaded in whatever order: what is inserted is the union, each once, and a rebuild agrees."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from ledger.verify import verify
from projections.rebuild import contents, rebuild
from tests.intake.lab import CATALOGUE, Lab, document, group, load_catalogue, session

NAMES = [f"quick_{n}" for n in range(6)]
SUBLISTS = st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh_lab(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Lab]]:
    """Makes a new ledger over the same share, as often as asked."""
    share = tmp_path_factory.mktemp("share") / "N"
    kilosort_output(share / "joint" / "g")
    (share / "rec").mkdir()
    roots = Roots.of({"N:": [str(share)]})
    opened: list[Lab] = []

    def fresh() -> Lab:
        url = ledger_templates(request.param, tmp_path_factory.mktemp("ledger"))
        daybook = Daybook.open(url, Actor("user_1"))
        load_catalogue(daybook, CATALOGUE)
        lab = Lab(url, daybook, share / "rec", roots)
        if not opened:
            lab.record_quickly(len(NAMES))
        opened.append(lab)
        return lab

    yield fresh
    for lab in opened:
        lab.daybook.close()


@settings(max_examples=10)
@given(uploads=st.lists(st.tuples(SUBLISTS, st.booleans(), st.sampled_from(["yaml", "json"])), max_size=5))
def test_what_is_inserted_is_the_union_of_what_was_uploaded(
    fresh_lab: Callable[[], Lab], uploads: list[tuple[list[str], bool, str]]
) -> None:
    lab = fresh_lab()
    inserted: set[str] = set()
    grouped = False
    for names, with_group, form in uploads:
        with_group = with_group and len(names) >= 2
        clustering = [group("g", names[:2])] if with_group else []
        entries = [session(name, name=name) for name in names]
        report = lab.upload_bytes(document(*entries, clustering=clustering, form=form))

        assert report.ok, report.findings
        assert [entry.outcome for entry in report.sessions] == [
            "duplicate" if name in inserted else "inserted" for name in names
        ]
        assert [c.outcome for c in report.clusterings] == [
            "duplicate" if grouped else "inserted"
        ] * with_group
        inserted.update(names)
        grouped = grouped or with_group

    assert lab.statuses() == {f"N:/rec/{name}": "inserted" for name in inserted}
    counts = Counter(lab.types())
    assert counts["SessionInserted"] == counts["SessionInsertRequested"] == len(inserted)
    assert counts["ClusteringInserted"] == grouped
    assert counts["InputFileReceived"] == counts["InputFileProcessed"] == len(uploads)
    with lab.daybook.reading() as world:
        incremental = contents(world.transaction, world.head.live_slot)
    rebuild(lab.daybook.database)
    with lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == incremental
    assert verify(lab.url).problems == []
    lab.daybook.close()
