"""``docs/mail.md``: its settings are read as the page says."""

import re
from pathlib import Path

from commands.door.settings import MailSettings, load
from tests.conftest import ROOT


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
