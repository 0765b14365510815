"""``docs/mail.md``: its settings are read as the page says, and its verb sends."""

import re
from pathlib import Path

from commands.accounts.server_key import server_key
from commands.door.reading_settings import load
from commands.door.settings import MailSettings
from commands.door.submit import Daybook
from commands.mail.outbox import Post
from tests.cli.conftest import run_cli
from tests.conftest import ROOT
from tests.mail.conftest import Mailbox
from tests.mail.test_mail import invited


def test_the_settings_of_the_page_are_read(tmp_path: Path) -> None:
    (written,) = re.findall(
        "```toml\n(.*?)```", (ROOT / "docs" / "mail.md").read_text(encoding="utf-8"), re.DOTALL
    )
    file = tmp_path / "daybook.toml"
    file.write_text(written, encoding="utf-8")
    (tmp_path / "smtp.password").write_text("a secret\n", encoding="utf-8")

    found = load(config=str(file)).mail

    assert found == MailSettings(
        "smtp.example.org", 587, "daybook@example.org", "starttls", "daybook", tmp_path / "smtp.password"
    )
    assert found.password() == "a secret"


def test_mail_is_sent_by_a_verb_where_no_server_runs(
    daybook: Daybook, ledger_url: str, tmp_path: Path, smtp: MailSettings, mailbox: Mailbox
) -> None:
    file = tmp_path / "daybook.toml"
    file.write_text(
        f'db = "{ledger_url}"\n[mail]\nhost = "{smtp.host}"\nport = {smtp.port}\n'
        f'from = "{smtp.sender}"\nsecurity = "none"\n'
    )
    nowhere = run_cli("--db", ledger_url, "mail")
    link = invited(daybook, Post(daybook.ledger, server_key(tmp_path), None))

    sent, again = (run_cli("--config", str(file), "mail") for _ in range(2))

    assert nowhere.exit == 1 and "Give [mail] in daybook.toml its host." in nowhere.err
    assert (sent.exit, sent.out) == (0, "1 mail sent.\n") and link in mailbox.bodies()[0]
    assert again.out == "0 mails sent.\n"
