"""The table of verbs. Imports nothing heavier than click."""

import click

from commands.cli.verbs import LazyRoot
from ledger import __version__

_SECTIONS = {
    "Start": {
        "status": ("standing:status", "Where am I, who am I, what waits, what failed, what is open for me."),
        "help": ("helping:help_", "Explain a verb, with two examples."),
        "doctor": (
            "examining:doctor",
            "See whether everything is as it should be, and what to do where it is not.",
        ),
        "incident": ("incidents:incident", "Faults of Daybook itself, as they were kept on this machine."),
        "demo": ("demo:demo", "Show it all on a small lab in a temporary directory."),
        "init": ("setting_up:init", "Create a ledger, or upgrade an older one in place."),
        "config": ("configuring:config", "See the settings in force, or write a file of them."),
        "catalogue": ("catalogue:catalogue", "Reference values that input files are checked against."),
        "subject": ("subjects:subject", "Register subjects, and see them with their probes."),
        "probe": (
            "subjects:probe",
            "Record that a probe was inserted or removed; mend what was recorded wrong.",
        ),
    },
    "Input files": {
        "template": ("drafts:template", "Print an empty input file, with comments."),
        "schema": ("drafts:schema", "Print the JSON schema of input files, for editors."),
        "compose": ("drafts:compose", "Draft an input file from session directories."),
        "validate": ("input_files:validate", "Check an input file; ingest nothing."),
        "upload": ("input_files:upload", "Check an input file and ingest what is new in it."),
        "work": ("working:work", "Process what is pending, look again at what waits."),
        "watch": ("dropping:watch", "Upload each input file that is put into DIR, once, until Ctrl-C."),
        "jobs": ("jobs:jobs", "What is pending or waits: each look, the next, and who works."),
    },
    "What became of it": {
        "sessions": ("lists:sessions", "List sessions."),
        "clusterings": ("lists:clusterings", "List clusterings."),
        "uploads": ("lists:uploads", "List uploads."),
        "show": ("records:show", "Show one upload, session or clustering, whole."),
        "why": ("records:why", "Say what a record waits for, or why it failed."),
        "cat": ("standing:cat", "Give an uploaded file back, byte for byte."),
    },
    "Complete": {
        "associate": ("completing:associate", "Say which probe is which, for a waiting session."),
        "settle": ("completing:settle", "Decide on what a session waits for, with a reason."),
        "add-tasks": ("completing:add_tasks", "Add tasks to a session that has none."),
        "add-clustering": ("completing:add_clustering", "Add a single-session clustering to a session."),
        "amend": (
            "completing:amend",
            "Add to a session what its file, or the disk, says by now beyond what is on record.",
        ),
        "annotate": ("completing:annotate", "Add room, project or notes that a file left out."),
    },
    "Wrong data": {
        "withdraw": ("deleting:withdraw", "Take back entries of yours that were never inserted."),
        "delete": ("deleting:delete", "Ask for a deletion, after a look at what would go with it."),
        "request": ("requesting:request", "See what waits for a decision; approve, reject or cancel it."),
        "restore": ("deleting:restore", "Undo an executed deletion, whole."),
        "correct": ("correcting:correct", "Compare a corrected file with what is stored; replace it."),
        "replay": ("correcting:replay", "Take the stored bytes of an earlier upload again."),
        "redact": ("redacting:redact", "Request that one payload is removed for legal reasons."),
    },
    "The past": {
        "diff": ("comparing:diff", "What changed between two moments, and by whom."),
        "what-if": ("comparing:what_if", "How the ledger would stand had something never happened."),
        "trace": ("tracing:trace", "From a record back to its file, and forward to what stands on it."),
    },
    "Audit": {
        "history": ("auditing:history", "The events of one record, oldest first."),
        "blame": (
            "auditing:blame",
            "For each thing that a record says: which event, and which line of which file.",
        ),
        "log": ("auditing:log", "The newest events of the whole ledger."),
        "tail": ("following:tail", "Every event in order, and those to come, until Ctrl-C."),
        "query": ("querying:query", "Ask by SQL, over named views of the ledger."),
        "audit": ("reporting:audit", "Uploads, inserts, deletions and refusals, counted."),
        "verify": ("verifying:verify", "Recompute the ledger and say what does not hold."),
        "checkpoint": ("checkpointing:checkpoint", "Sign the ledger as it is now, to be kept elsewhere."),
        "prove": ("proving:prove", "Prove that a record is in the ledger, or that nothing was rewritten."),
        "bundle": ("proving:bundle", "Write a file that a stranger can verify offline."),
        "export": ("moving:export", "Write the whole log as JSON Lines."),
        "import": ("moving:import_", "Make a ledger from an exported log."),
        "backup": ("backing_up:backup", "Copies of the whole ledger, taken while it runs."),
        "archive": ("archiving:archive", "Closed ranges of the log as Parquet files, each with its proof."),
        "rebuild": ("setting_up:rebuild", "Make all lists anew from the events."),
    },
    "Who comes in": {
        "role": ("roles:role", "Who may do what."),
        "person": ("roles:person", "Names and addresses behind usernames, which can be erased."),
        "user": ("accounts:user", "Who has an account, and may come in through the server."),
        "auth": ("authenticating:auth", "Sign in at a server, and out."),
        "token": ("tokens:token", "Tokens with which programs come in through the server."),
        "policy": ("policies:policy", "What holds for the whole ledger, whoever acts."),
        "webhook": ("webhooks:webhook", "Addresses that are sent every event, signed."),
        "mail": (
            "mailing:mail",
            "Send the mail that is due: links, requests, what became of uploads, reminders.",
        ),
        "serve": ("serving:serve", "Serve the ledger over HTTP, to people, rigs and scripts."),
    },
}

_EPILOG = """\b
Exit codes: 0 done, 1 rejected or refused, 2 wrong usage, 3 accepted but an
entry failed, 4 not permitted, 5 the ledger is not intact, 6 the server cannot
be reached, 7 not signed in, 70 a fault of daybook itself.
\b
Completion of verbs, options, files, ids and names (bash; zsh, fish likewise):
  eval "$(_DAYBOOK_COMPLETE=bash_source daybook)"
"""


@click.command(
    "daybook",
    cls=LazyRoot,
    sections={title: list(verbs) for title, verbs in _SECTIONS.items()},
    places={
        verb: f"commands.cli.{place}" for verbs in _SECTIONS.values() for verb, (place, _) in verbs.items()
    },
    helps={verb: text for verbs in _SECTIONS.values() for verb, (_, text) in verbs.items()},
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="daybook", message="%(prog)s %(version)s")
def cli() -> None:
    """Daybook: the book of original entry of a neurophysiology lab.

    What was ingested, by whom, when, from which file: never rubbed out. New here? Run: daybook demo
    """
