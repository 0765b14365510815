"""Whether the ledger, a receipt, a proof or a bundle is what was written. Reads; appends nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from commands.answers.typed import read
from ledger.errors import LedgerUnavailable, Refusal

if TYPE_CHECKING:
    from commands.door.settings import Checkpoints
    from commands.proving.bundle_verifier import Report
    from ledger.signing_keys import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemLine:
    """Something that does not hold, at the first position that it concerns."""

    code: str
    position: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """Who signed a given checkpoint. ``unknown``: its key is not known, and nothing was checked."""

    checkpoint: str
    size: int
    name: str
    key_id: str
    by: Literal["ledger", "witness", "unknown"]
    cosigned_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """``ok``: nothing is wrong with the ledger of ``events`` events, up to ``position``. ``lists`` that were not
    compared with the events are not said to hold. ``ahead`` is the latest time of an event, where it lies ahead: a
    clock was wrong, by less than a day, and later events have that time too."""

    ok: bool
    position: int
    events: int
    root: str
    lists: Literal["compared", "not-compared"]
    problems: list[ProblemLine]
    signatures: list[SignatureLine]
    public_key: str | None
    ahead: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoActed:
    """How often an actor stands in a file, and how he or she was authenticated: ``token ab12cd``, ``claimed``; with
    the user on whose behalf, if on another's."""

    user: str
    authenticated: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    """A receipt, a proof or a bundle. ``ok``: nothing is wrong with it, and nothing is ``unchecked``, which is what
    could not be looked at: what a file says of itself proves nothing.
    ``size`` is that of the checkpoint that it stands under, 0 without one. ``ledger``: it was compared with the ledger,
    and not only looked at by itself. ``actors`` are those of a receipt or a proof that is ``ok``;
    a bundle has none here."""

    ok: bool
    kind: Literal["proof", "bundle"]
    ledger: bool
    origin: str
    size: int
    root: str
    events: int
    redacted: int
    files: int
    whole: bool
    public_key: str
    fingerprint: str
    checked: list[str]
    unchecked: list[str]
    problems: list[ProblemLine]
    actors: list[WhoActed]


def kept_under(checkpoints: Sequence[str] | None, names: Sequence[str] | None) -> dict[str, str]:
    """Texts of checkpoints by the names that they were given under. Raises Refusal for what is none."""
    given = list(checkpoints or ())
    called = list(names or (f"checkpoint {number}" for number in range(1, len(given) + 1)))
    if len(called) != len(given):
        raise Refusal(
            "names", f"There are {len(given)} checkpoints and {len(called)} names.", "Name each of them."
        )
    for name, text in zip(called, given, strict=True):
        require_checkpoint(text, name)
    return dict(zip(called, given, strict=True))


def require_checkpoint(text: str | None, name: str = "What was given") -> None:
    """Raises Refusal for a text that is none; nothing for none at all."""
    from ledger.checkpoint import parse
    from ledger.signing_keys import CheckpointError

    if text is None:
        return
    try:
        parse(text.encode("utf-8", "surrogatepass"))
    except CheckpointError as error:
        raise Refusal(
            "no-checkpoint", f"{name} is no checkpoint: {error}", "Give it as it was kept."
        ) from None


def public_keys(texts: Sequence[str] | None) -> list["PublicKey"]:
    """Raises Refusal for what is none."""
    from ledger.signing_keys import CheckpointError, parse_public_key

    try:
        return [parse_public_key(text) for text in texts or ()]
    except CheckpointError as error:
        raise Refusal(
            "no-key", f"This is no public key: {str(error).rstrip('.')}.", "Give it as a text."
        ) from None


def verified(
    url: str,
    *,
    kept: Mapping[str, str],
    trust: Sequence["PublicKey"] = (),
    lists: bool | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    comparing: Callable[[int, int], None] = lambda done, total: None,
) -> Verified:
    """The whole ledger at this address; ``kept`` are checkpoints by the name that they were given under. ``lists``:
    compare them with the events or not; None: unless there are very many. Raises LedgerUnavailable, and Refusal for a
    checkpoint of another ledger or one that a witness of ``trust`` did not sign.
    """
    from commands.proving.checking import check_ledger
    from commands.proving.checkpoints import signers
    from ledger.log import lies_ahead
    from ledger.signing_keys import public_key_text

    key, signatures = signers(url, kept, trust)
    checked = check_ledger(url, kept=list(kept.values()), lists=lists, progress=progress, comparing=comparing)
    report = checked.report
    return Verified(
        ok=report.ok,
        position=report.events,
        events=report.events,
        root=report.root,
        lists="compared" if checked.lists else "not-compared",
        problems=[ProblemLine(**asdict(problem)) for problem in report.problems],
        signatures=[read(SignatureLine, each) for each in signatures],
        public_key=None if key is None else public_key_text(key),
        ahead=report.latest if lies_ahead(report.latest) else None,
    )


def kept_elsewhere(url: str, settings: "Checkpoints | None") -> dict[str, str]:
    """The newest checkpoint of this ledger that was kept by itself, under the name of its file. Raises Refusal where
    its place cannot be read.
    """
    from commands.proving.checkpoints import origins
    from commands.proving.keeping import newest_kept

    if settings is None:
        return {}
    found = [kept for origin in origins(url) if (kept := newest_kept(settings, origin)) is not None]
    return {str(kept.file): kept.text() for kept in found}


def verified_proof(
    url: str, text: str, *, kept: Mapping[str, str], trust: Sequence["PublicKey"] = ()
) -> VerifiedFile:
    """Check a receipt or a proof, against the ledger where there is one at this address, else by itself. Raises
    ``commands.proving.bundle_verifier.Malformed`` for anything else.
    """
    from commands.proving import documents
    from commands.proving.checkpoints import require_cosigned
    from ledger.database import Database

    for name, each in kept.items():
        require_cosigned(name, each, trust)
    own, checkpoints = () if kept else trust, tuple(kept.values())
    database = Database(url)
    try:
        with database.reading() as transaction:
            report = documents.check(transaction, text, checkpoints=checkpoints, trust=own)
    except LedgerUnavailable as refusal:
        if refusal.code != "no-ledger":
            raise
        report = documents.verify_document(text, checkpoints=checkpoints, trust=own)
        return _of(report, "proof", ledger=False, actors=_actors(text, report))
    finally:
        database.close()
    return _of(report, "proof", ledger=True, actors=_actors(text, report))


def _actors(text: str, report: "Report") -> list[WhoActed]:
    """Of a file whose events hold, all that was there to check: what they say is what was recorded."""
    if report.problems or report.unchecked:
        return []
    import json
    from collections import Counter

    from commands.answers.sentences import authenticated

    found = Counter(
        (event["actor"], authenticated(json.loads(event["via"]))) for event in json.loads(text)["events"]
    )
    return [WhoActed(user=user, authenticated=how, events=times) for (user, how), times in found.items()]


def verified_bundle(
    file: Path,
    *,
    kept: Sequence[str] = (),
    trust: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> VerifiedFile:
    """Check a bundle by itself. Raises Malformed for what is no bundle, Refusal for a checkpoint of another ledger."""
    from commands.proving import bundle_verifier as script
    from commands.proving.bundle import check_companions

    given = script.Given(
        trust=[script.read_key(text) for text in trust], checkpoints=[*map(script.read_note, kept)]
    )
    report = script.verify(file, given, progress)
    check_companions(file, report)
    for problem in report.problems:
        if problem.code == "other-ledger":
            raise Refusal("foreign-checkpoint", problem.message, "Give one of the bundle's ledger.")
    return _of(report, "bundle", ledger=False)


def _of(
    report: "Report", kind: Literal["proof", "bundle"], *, ledger: bool, actors: Sequence[WhoActed] = ()
) -> VerifiedFile:
    found: dict[str, Any] = vars(report) | {
        "ok": not report.problems and not report.unchecked,
        "kind": kind,
        "ledger": ledger,
        "problems": [problem._asdict() for problem in report.problems],
        "actors": [asdict(each) for each in actors],
    }
    return read(VerifiedFile, found)
