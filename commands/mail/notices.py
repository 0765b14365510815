"""Who is told what by mail of what happened: the log is followed, each event told once. Digests and reminders are made
on the first look of a day."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from commands.accounts.times import before_now
from commands.door.actor import Actor
from commands.door.incidents import record_beside
from commands.door.submit import Daybook
from commands.door.world import World
from commands.mail.outbox import Post, put
from commands.mail.texts import Letter, digest, reminder, request_decided, request_waits, upload_processed
from ledger import log, outbox, preferences
from ledger.bodies import body_of
from ledger.database import Transaction
from ledger.envelope import StoredEvent
from ledger.errors import Refusal

REQUESTS, UPLOADS, DIGEST, REMINDED = "mail-requests", "mail-uploads", "mail-digest", "mail-reminded"
"""Names of preferences. Of the first two "off" is no mail; "on" of the third gathers the mail of a day."""
KINDS = {REQUESTS: "requests that wait for me, and what became of mine", UPLOADS: "what became of my uploads"}
_ASKED = {
    "DeletionRequested": "a deletion", "CorrectionRequested": "a correction", "RedactionRequested": "a redaction",
    "ChangeRequested": "a change",
}  # fmt: skip
_DECIDED = {"DeletionApproved": "approved", "DeletionRejected": "rejected"}
_TOLD = (*_ASKED, *_DECIDED, "InputFileProcessed")
_PAGE = 1000
_A_WEEK = timedelta(days=7)
_MOST_LINES = 50


def look(post: Post) -> int:
    """How many mails were put into the outbox. On the first look of all nothing of the past is told."""
    daybook = Daybook(post.ledger, Actor.of_process("mail"))
    with daybook.reading() as world:
        size, events = world.head.size, _new_events(world)
        letters = [found for event in events for found in _letters_alone(post, world, event)]
    made, today = 0, datetime.now(UTC).date().isoformat()
    with post.ledger.database.writing() as transaction:
        transaction.wait_for("mail")
        known = outbox.told_until(transaction)
        if known is None:
            outbox.tell_until(transaction, size, today)
            return 0
        for user, kind, mail_id, letter in letters:
            chosen = preferences.of_user(transaction, user)
            if chosen.get(kind) != "off":
                gathered = chosen.get(DIGEST) == "on"
                made += put(post, transaction, user, kind, letter, mail_id=mail_id, gathered=gathered)
        reached = max([known[0], *(event.position for event in events)] if len(events) == _PAGE else [size])
        outbox.tell_until(transaction, reached, known[1])
    if known[1] != today:
        made += _once_a_day(post, daybook, today)
    return made


def _new_events(world: World) -> list[StoredEvent]:
    known = outbox.told_until(world.transaction)
    if known is None:
        return []
    marks = ", ".join("?" * len(_TOLD))
    rows = world.transaction.run(
        f"SELECT position FROM events WHERE position > ? AND position <= ? AND type IN ({marks}) "
        "ORDER BY position LIMIT ?",
        (known[0], world.head.size, *_TOLD, _PAGE),
    ).fetchall()
    found = log.read_positions(world.transaction, [position for (position,) in rows])
    return [found[position] for position in sorted(found)]


def _letters_alone(post: Post, world: World, event: StoredEvent) -> list[tuple[str, str, str, Letter]]:
    """As ``_letters``: where a fault of the program keeps one event from being told, the others are."""
    try:
        return _letters(post, world, event)
    except Refusal:
        raise
    except Exception as fault:  # noqa: BLE001 - it would keep all that follow from being told, for ever
        record_beside(fault, verb="mail: an event", database=post.ledger.database)
        return []


def _letters(post: Post, world: World, event: StoredEvent) -> list[tuple[str, str, str, Letter]]:
    """To whom, of what kind, under which id: so that nobody is told twice."""
    number, lab = event.stream.rpartition("/")[2], world.head.origin
    if event.type == "InputFileProcessed":
        link = _link(post, f"/uploads/u{number}")
        user = event.username or event.actor
        letter = upload_processed(lab, f"u{number}", _outcomes(event), link)
        return [(user, UPLOADS, f"{event.position} {user}", letter)]
    link = _link(post, f"/requests/d{number}")
    row = world.state.deletions.get(int(number))
    if event.type in _ASKED:
        asked = request_waits(lab, f"d{number}", event.actor, _ASKED[event.type], link)
        admins = [name for name in _admins(world) if name != event.actor]
        return [(name, REQUESTS, f"{event.position} {name}", asked) for name in admins]
    if row is None or row.requested_by == event.actor:
        return []
    decided = request_decided(lab, f"d{number}", event.actor, _DECIDED[event.type], link)
    return [(row.requested_by, REQUESTS, f"{event.position} {row.requested_by}", decided)]


def _outcomes(event: StoredEvent) -> dict[str, int]:
    body = body_of(event)
    return dict(Counter(str(each.get("outcome")) for each in (*body["sessions"], *body["clusterings"])))


def _admins(world: World) -> list[str]:
    rows = world.state.users.where("role = ? AND account <> ? AND owner = ?", ["admin", "disabled", ""])
    return sorted(row.username for row in rows)


def _link(post: Post, path: str) -> str | None:
    return None if post.public_url is None else f"{post.public_url}{path}"


def _once_a_day(post: Post, daybook: Daybook, today: str) -> int:
    with daybook.reading() as world:
        reminders = _reminders(post, world)
        lab = world.head.origin
    made = 0
    with post.ledger.database.writing() as transaction:
        transaction.wait_for("mail")
        position, day = outbox.told_until(transaction) or (0, today)
        if day == today:  # somebody else was first
            return 0
        outbox.tell_until(transaction, position, today)
        gathered: dict[str, list[outbox.Mail]] = {}
        for mail in outbox.of_status(transaction, outbox.GATHERED):
            gathered.setdefault(mail.username, []).append(mail)
        for user, mails in gathered.items():
            letters = list(_readable(post, transaction, mails))
            if letters:
                gathers = digest(lab, day, letters)
                made += put(post, transaction, user, DIGEST, gathers, mail_id=f"digest {day} {user}")
        for user, letter in reminders:
            if preferences.of_user(transaction, user).get(REMINDED, "") > before_now(_A_WEEK):
                continue
            if put(post, transaction, user, REQUESTS, letter, mail_id=f"reminder {today} {user}"):
                preferences.write(transaction, user, {REMINDED: f"{today}T00:00:00.000000Z"})
                made += 1
    return made


def _readable(post: Post, transaction: Transaction, mails: Sequence[outbox.Mail]) -> Iterator[Letter]:
    """The letters that go into one digest. One that was encrypted with another key has failed."""
    for mail in mails:
        try:
            letter = Letter(mail.subject, post.key.decrypted(mail.body))
        except Refusal as refusal:
            outbox.mark_failed(transaction, mail.id, refusal.message, None)
        else:
            outbox.remove(transaction, mail.id)
            yield letter


def _long_ago() -> str:
    return before_now(_A_WEEK)


def _reminders(post: Post, world: World) -> list[tuple[str, Letter]]:
    """What has waited for more than a week: requests for admins, entries for who uploaded them."""
    before = _long_ago()
    waiting: dict[str, list[str]] = {}
    for row in world.state.deletions.where("status = ? AND requested_at < ?", ["requested", before]):
        for admin in _admins(world):
            if admin != row.requested_by:
                waiting.setdefault(admin, []).append(f"d{row.id}, asked for by {row.requested_by}")
    for session in world.state.sessions.where("status = ? AND changed_at < ?", ["waiting", before]):
        waiting.setdefault(session.username, []).append(f"s{session.id} of {session.subject}")
    letters = []
    for user, lines in sorted(waiting.items()):
        if preferences.of_user(world.transaction, user).get(REQUESTS) != "off":
            shown = lines[:_MOST_LINES]
            letters.append((user, reminder(world.head.origin, shown, _link(post, "/"))))
    return letters
