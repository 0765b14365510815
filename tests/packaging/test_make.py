"""``make demo`` and ``make serve``: the lab of the one is served by the other. What ``make`` installs is here already."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.accounts.people import PASSWORD
from tests.conftest import ROOT
from tests.patience import PATIENCE_S


@pytest.fixture
def environment(tmp_path: Path) -> list[str]:
    """The variables of make: an environment that is complete, and a lab elsewhere."""
    made = tmp_path / "environment"
    (made / "bin").mkdir(parents=True)
    script = made / "bin" / "daybook"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m commands.cli "$@"\n')
    script.chmod(0o755)
    for name in (".installed-run", ".installed-dev"):
        (made / name).touch()
    return [f"VENV={made}", f"LAB={tmp_path / 'lab'}", "PORT=0"]


def make(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["make", "--no-print-directory", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "DAYBOOK"))},
        start_new_session=True,
    )  # fmt: skip


@contextmanager
def served(environment: list[str]) -> Iterator[list[str]]:
    """What is printed, the address first."""
    process = make("serve", *environment)
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Serving."):
                break
        yield lines[next(at for at, line in enumerate(lines) if line.startswith("http")) :]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def test_served_lab_is_that_of_the_demo_and_its_admin_can_come_in(environment: list[str]) -> None:
    process = make("demo", *environment)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    assert out.rstrip().splitlines()[-1].endswith("in the browser: make serve")

    with served(environment) as lines:
        address, code = lines[0], lines[-2].rpartition("=")[2].rpartition("/")[2]
        assert "For user_1, who is an admin" in " ".join(lines)
        with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
            accepted = client.post("/api/v1/auth/accept", json={"code": code, "password": PASSWORD})
            assert accepted.status_code == 200, (accepted.text, lines)
            token = accepted.json()["secret"]["token"]
            found = client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
    assert [session["status"] for session in found.json()["sessions"]] == ["inserted"] * 3

    with served(environment) as lines:  # the lab is as it was left
        assert f"Serving. Sign in: {lines[0]}/sign-in." in " ".join(lines)
        assert httpx.get(f"{lines[0]}/sign-in", timeout=PATIENCE_S, trust_env=False).status_code == 200


def test_what_was_left_is_not_played_again(environment: list[str], tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()

    process = make("demo", *environment)
    out, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, out
    assert list((tmp_path / "lab").iterdir()) == []
