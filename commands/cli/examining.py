"""The verb ``doctor``: whether everything is as it should be, and a bundle of it for whoever is asked for help."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import REFUSED
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.next_steps import sentence
from commands.cli.output import printable
from commands.cli.targets import new_file, refuse_existing
from commands.cli.verbs import Verb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.examination import Examination, Examined
    from commands.door.incidents import Incident

_LAST = 10
_SIGNS = {"ok": ("ok", "green"), "wrong": ("WRONG", "red"), "unknown": ("?", "yellow")}


@click.command(cls=Verb)
@click.option(
    "--bundle",
    metavar="FILE",
    help="Write it all there, with the last incidents and refusals, for whoever is asked for help.",
)
@pass_invocation
def doctor(invocation: Invocation, bundle: str | None) -> int:
    """See whether everything is as it should be, and what to do where it is not.

    Versions, settings, the database and what is in it, roots, disk, keys; with a server, whether it is reached, TLS,
    and who you are there. The exit code is 0 where all is well. A bundle is JSON that you can read before you send
    it: it holds no secret, and no path of a recording beyond its root.
    """
    from commands.answers.examination import examination

    if bundle is not None:
        refuse_existing(bundle)
    found = examination(list(_checks(invocation)))
    settings = _settings(invocation)
    if bundle is not None:
        _write_bundle(invocation, bundle, found, settings)

    def human() -> None:
        for each in found.checks:
            _write(each)
        for row in settings:
            if row["source"] != "default" and row["value"] is not None:
                output.say(printable(f"set      {row['setting']} = {row['value']}  (from {row['source']})"))
        contact = invocation.contact()
        if not found.ok and contact is not None:
            output.say(printable(f"Contact: {contact}"))
        if bundle is not None:
            output.say(f"It is written to {near(Path(bundle))}. Read it before you send it.")

    invocation.answer(found, human, settings=settings, bundle=bundle, contact=invocation.contact())
    return 0 if found.ok else REFUSED


def _write(each: "Examined") -> None:
    sign, colour = _SIGNS[each.health]
    text = f"{each.message} {sentence(each.hint, each.next_steps)}".rstrip()
    output.say(f"{output.coloured(f'{sign:<8}', colour)} {printable(f'{each.name}: {text}')}")


def _checks(invocation: Invocation) -> Iterator["Examined"]:
    from commands.answers import examination as looked
    from commands.door.settings import SettingsError

    yield looked.versions()
    try:
        settings = invocation.settings
    except (SettingsError, click.ClickException) as error:
        yield looked.wrong(
            "settings", str(getattr(error, "message", error)), "Mend them, and run this again."
        )
        return
    file = settings.file
    yield looked.fine(
        "settings", "No daybook.toml: the defaults." if file is None else f"{file}, which can be read."
    )
    if settings.server is not None:
        from commands.remote.examining import of_server

        yield from of_server(settings.server)
        return
    folder = invocation.state_folder
    yield from looked.of_ledger(settings, invocation.actor)
    yield from looked.of_roots(settings)
    yield from looked.of_disk(folder)
    yield from looked.of_keys(settings, folder)
    yield from looked.of_checkpoints(settings)


def _settings(invocation: Invocation) -> list[dict[str, Any]]:
    """All that are in force, and where each came from; none where they cannot be read."""
    from commands.cli.configuring import rows
    from commands.door.settings import SettingsError

    try:
        return [
            {"setting": name, "value": value, "source": source} for name, value, source in rows(invocation)
        ]
    except (SettingsError, click.ClickException):
        return []


# --- the bundle -----------------------------------------------------------------------------------------------------


def _write_bundle(
    invocation: Invocation, file: str, found: "Examination", settings: list[dict[str, Any]]
) -> None:
    from commands.answers.document import json_text
    from commands.door.recent import recent
    from ledger.addresses import without_secrets

    document = {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "contact": invocation.contact(),
        "examination": asdict(found),
        "settings": settings,
        "commands": recent(invocation.user),
        "incidents": _incidents(invocation),
        "refusals": _refusals(invocation),
    }
    text = without_secrets(json_text(document).decode("utf-8", "backslashreplace"))
    with new_file(file) as stream:
        stream.write(text.encode() + b"\n")


def _incidents(invocation: Invocation) -> list[dict[str, str]]:
    """What was kept of the last ones, as it was kept."""
    from commands.door.incidents import kept

    last = kept(invocation.state_folder)[-_LAST:]
    return [{"incident": each.incident, "at": each.at, "text": _text_or_why_not(each)} for each in last]


def _text_or_why_not(incident: "Incident") -> str:
    from commands.door.incidents import text_of

    try:
        return text_of(incident)
    except OSError as error:
        return f"(it cannot be read: {error.strerror})"


def _refusals(invocation: Invocation) -> list[dict[str, Any]] | str:
    """The last that the ledger recorded: who tried what, and what was needed."""
    try:
        with invocation.answering() as ledger:
            found = ledger.ask("log", type="ActionRefused", limit=_LAST)
            return [
                {
                    "position": event.position,
                    "at": event.recorded_at,
                    "user": event.actor,
                    "action": invocation.shortened(str((event.body or {}).get("action", ""))),
                    "record": invocation.shortened(str((event.body or {}).get("record", ""))),
                    "role": (event.body or {}).get("role"),
                    "needed": (event.body or {}).get("needed"),
                }
                for event in found.events
            ]
    except Refusal as refusal:
        return f"The ledger could not be asked: {refusal.message}"
    except Exception as error:  # noqa: BLE001 - whatever is broken, the rest is written
        return f"The ledger could not be asked: {type(error).__name__}"
