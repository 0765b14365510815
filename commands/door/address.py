"""Which ledger is meant, without reading the rest of the settings: for callers that have to be quick."""

import os
import re
from pathlib import Path

from ledger.addresses import address_of

FILE_NAME = "daybook.toml"
DEFAULT_DB = "sqlite:///daybook.db"


def settings_file() -> Path | None:
    """The daybook.toml of the working directory, or of the nearest folder above it. Raises OSError where the working
    directory is gone."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / FILE_NAME
        try:
            if candidate.is_file():
                return candidate
        except OSError:  # a parent that may not be looked into
            continue
    return None


def relative_to(url: str, folder: Path) -> str:
    """A relative path of a SQLite address belongs to the folder of the file that states it."""
    match = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/?][^?]*)(\?.*)?", url)
    if match is None or Path(match[2]).is_absolute():
        return url
    return f"{match[1]}{folder / match[2]}{match[3] or ''}"


def quick_address(db: str | None, config: str | None) -> str:
    """What ``settings.load`` gives, but without the schema. Raises OSError where the file cannot be read."""
    given = db or os.environ.get("DAYBOOK_DB")
    if given:
        return address_of(given)
    file = Path(config).absolute() if config is not None else settings_file()
    if file is None:
        return DEFAULT_DB
    import tomllib

    found = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("db")
    return relative_to(address_of(found), file.parent) if isinstance(found, str) else DEFAULT_DB
