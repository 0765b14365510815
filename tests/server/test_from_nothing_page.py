"""``docs/server.md``, from nothing: a server of its own behind a proxy that ends TLS, three people and a rig."""

import http.client
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from commands.door.reading_settings import load
from commands.samples.lab import SampleLab, input_file
from tests.accounts.accounts_page import Play
from tests.cli.conftest import folder, run_cli, sample
from tests.conftest import ROOT
from tests.patience import PATIENCE_S
from tests.remote.test_faults import certificate

__all__ = ["folder", "sample"]
PAGE = ROOT / "docs" / "server.md"
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_BEGIN = "## From nothing to a lab, behind a proxy"


def files() -> dict[str, str]:
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


class _Passing(BaseHTTPRequestHandler):
    """Hands a request on, and says who called."""

    protocol_version = "HTTP/1.1"
    behind = 0
    called_by = "192.0.2.7"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        headers |= {"X-Forwarded-For": self.called_by, "X-Forwarded-Proto": "https"}
        there = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=PATIENCE_S)
        try:
            there.request(self.command, self.path, body, headers)
            answer = there.getresponse()
            data = answer.read()
        finally:
            there.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _pass  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def proxy(behind: int, pem: Path, key: Path) -> Iterator[str]:
    handler = type("Passing", (_Passing,), {"behind": behind})
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join(PATIENCE_S)


@contextmanager
def service(place: Path) -> Iterator[tuple[str, str]]:
    """As the unit starts it, on a free port: its address, and the first link."""
    [line] = re.findall(r"ExecStart=\S+ (.*)", files()["daybook.service"])
    words = line.replace("--port 8440", "--port 0").split()
    with (place / "log.txt").open("w") as kept:
        process = subprocess.Popen(
            [sys.executable, "-m", "commands.cli", *words], cwd=place, stdout=subprocess.PIPE, stderr=kept, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            process.stdout.readline()
            yield address, process.stdout.readline().strip()
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def place(sample: SampleLab, folder: Path) -> Path:
    """/srv/daybook, with recordings."""
    made = folder / "srv"
    made.mkdir()
    text = files()["daybook.toml"].replace("/srv/recordings", str(folder / "recordings"))
    (made / "daybook.toml").write_text(text)
    (made / "catalogue.yml").write_text((folder / "catalogue.yml").read_text())
    return made


def test_from_nothing_to_three_people_and_a_rig(
    place: Path, sample: SampleLab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, begin, story = page.partition(_BEGIN)
    setting_up, _, living = story.partition("`systemctl enable")
    monkeypatch.chdir(place)
    for line in re.findall(r"service\$ daybook (.*)", setting_up):
        assert run_cli(*line.split(), user=None).exit == 0, line

    pem, key = certificate(folder, days=90)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with service(place) as (address, first), proxy(int(address.rpartition(":")[2]), pem, key) as outside:
        settings = load(config=str(place / "daybook.toml"))
        stand: Any = SimpleNamespace(
            address=outside, url=settings.db, serving=SimpleNamespace(settings=settings)
        )
        play = Play(stand, folder, {})
        assert first.startswith("https://daybook.example.org/")
        play.code = first.rpartition("/")[2]
        recordings = folder / "recordings"
        file = input_file(
            sample.subjects[0], sessions=1,
            location_of=lambda found: f"N:/{found.relative_to(recordings).as_posix()}",
        )  # fmt: skip
        for who in ("user_2", "user_3", "rig_1"):
            (play.home(who) / "12345.yml").write_text(file)
        found = play.play(living)

        wrong = {"user": "user_2", "password": "not the one"}
        with httpx.Client(verify=ssl.create_default_context(cafile=str(pem)), trust_env=False) as client:
            assert client.post(f"{outside}/api/v1/auth/login", json=wrong).status_code == 401

    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(f"{before}{begin}{setting_up}`systemctl enable{found}", encoding="utf-8")
    with suppress(FileNotFoundError):
        assert "Traceback" not in (place / "log.txt").read_text()
    assert play.differing == []
