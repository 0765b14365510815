"""The verb ``serve``, as a process: its first line is its address, and it ends when it is asked to."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from commands.accounts.invitations import InviteFirst, invite_first
from commands.accounts.sign_ins import accept
from commands.accounts.times import before_now
from commands.answers.accounts import invitations
from commands.door.actor import Actor
from commands.door.submit import Daybook
from ledger.errors import Refusal
from tests.accounts.people import HERE, PASSWORD
from tests.cli.conftest import run_cli
from tests.conftest import ROOT
from tests.patience import PATIENCE_S


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "commands.cli", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def test_the_first_line_is_the_address_and_a_signal_ends_it_whole(
    ledger_templates: Callable[[str, Path], str], folder: Path
) -> None:
    url = ledger_templates("sqlite", folder)

    with serving("--db", url) as (address, process):
        assert httpx.get(f"{address}/healthz", timeout=PATIENCE_S).text == "ok\n"
        assert httpx.get(f"{address}/api/v1/sessions", timeout=PATIENCE_S).status_code == 401
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--host", "0.0.0.0"], "open-text"),
        (["--host", "192.0.2.1", "--behind-proxy", "127.0.0.1"], "address-taken"),
        (["--host", "no.such.host.invalid", "--behind-proxy", "127.0.0.1"], "no-such-host"),
    ],
)
def test_where_it_cannot_or_should_not_be_served_it_is_refused(
    ledger_templates: Callable[[str, Path], str], folder: Path, arguments: list[str], code: str
) -> None:
    url = ledger_templates("sqlite", folder)

    ended = run_cli("serve", "--port", "0", "--db", url, *arguments)

    assert ended.exit == 1 and f"[{code}]" in ended.err


def test_without_a_ledger_nothing_is_served(folder: Path) -> None:
    ended = run_cli("serve", "--port", "0")

    assert ended.exit == 1 and "[no-ledger]" in ended.err


def test_no_other_verb_loads_what_a_server_needs() -> None:
    code = (
        "import sys; from commands.cli.main import cli; cli.main(['sessions'], standalone_mode=False); "
        "print([m for m in ('fastapi', 'starlette', 'uvicorn', 'anyio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert done.stdout.strip().endswith("[]")


def test_where_somebody_can_sign_in_no_link_is_made(daybook: Daybook) -> None:
    own = Daybook(daybook.ledger, Actor.of_process())
    first = invite_first(own)
    assert first is not None and first[0].user == "user_1"
    second = invite_first(own)
    assert second is not None
    with pytest.raises(Refusal, match="replaced by a newer one"):
        accept(daybook.ledger, first[1], PASSWORD, HERE)
    with daybook.reading() as world:
        [line] = invitations(world).invitations
    assert before_now(-timedelta(minutes=55)) < line.until < before_now(-timedelta(minutes=61))

    accept(daybook.ledger, second[1], PASSWORD, HERE)

    assert invite_first(own) is None
    with pytest.raises(Refusal) as refused:
        own.submit(InviteFirst(user="user_1"))
    assert refused.value.code == "not-first"
