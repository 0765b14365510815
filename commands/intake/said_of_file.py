"""What there is to say of a checked file beside the findings of its entries, and which notices are left out."""

from collections.abc import Iterator

from commands.inputfile.check import Checked
from commands.inputfile.fields import clipped
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.inputfile.read import ReadResult


def of_what_is_new(read: ReadResult, checked: Checked) -> Iterator[Finding]:
    """Without the notices about duplicates: nothing will be done about them, and a file that grows has thousands."""
    known = {f"sessions[{s.entry.index}]" for s in checked.sessions if s.duplicate_of is not None}
    known |= {f"clustering[{c.entry.index}]" for c in checked.clusterings if c.duplicate_of is not None}
    for finding in read.findings:
        if finding.severity != "notice" or finding.path.partition(".")[0] not in known:
            yield finding


def without_curator(read: ReadResult, checked: Checked, known: Known, owner: str) -> Iterator[Finding]:
    """The uploader becomes the curator of inherited clusterings: says so once a file, where he or she is no
    experimenter.
    """
    experimenters = known.reference.get("reference.Experimenter", ())
    if not owner or not experimenters or owner in experimenters:
        return
    inherited = [
        s.entry for s in checked.sessions if s.duplicate_of is None and s.entry.clustering in (True, None)
    ]
    asked = [entry for entry in inherited if entry.clustering is True]
    for entry in (asked or inherited)[:1]:
        path = f"sessions[{entry.index}]" + (".clustering" if asked else "")
        line, column = read.position(path) or (None, None)
        message = (
            f"{clipped(owner)} uploads this and is not in reference.Experimenter: what is sorted below a session's "
            "location has no curator, and waits for one."
        )
        hint = "Where it is sorted already, list it under clustering with its curator and location."
        yield Finding(
            2, "warning" if asked else "notice", "curator-unknown", path, line, column, message, hint
        )


def foreign_sessions(read: ReadResult, checked: Checked, known: Known) -> Iterator[Finding]:
    """A name leads to a session of another subject where such a session holds its location."""
    foreign = {held.session: held.subject for held in known.locations.values() if held.subject}
    for clustering in checked.clusterings if foreign else ():
        path = f"clustering[{clustering.entry.index}].sessions"
        line, column = read.position(path) or (None, None)
        for session in [s for reference in clustering.sessions if (s := reference.session) in foreign]:
            message = f"session s{session} is of subject {foreign[int(session or 0)]}."
            hint = "The sessions of a clustering are of one subject: check the location of that session."
            yield Finding(2, "error", "session-of-another-subject", path, line, column, message, hint)
