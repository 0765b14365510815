"""Which ledger is meant, without reading the rest of the settings: for callers that have to be quick."""

import os
import re
from pathlib import Path

from ledger.addresses import address_of
from ledger.small_files import read_small

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


def quick_address(db: str | None, server: str | None, config: str | None) -> tuple[str, str | None]:
    """The ledger and, where it is at one, the server, as ``reading_settings.load`` gives them, but for a schema. Raises
    what a file raises that cannot be read."""
    for db_, server_ in ((db, server), (os.environ.get("DAYBOOK_DB"), os.environ.get("DAYBOOK_SERVER"))):
        if server_ or db_:
            return DEFAULT_DB if server_ else address_of(str(db_)), server_ or None
    file = Path(config).absolute() if config is not None else settings_file()
    if file is None:
        return DEFAULT_DB, None
    import tomllib

    found = tomllib.loads(read_small(file).decode("utf-8-sig"))
    named, at = found.get("db"), found.get("server")
    address = relative_to(address_of(named), file.parent) if isinstance(named, str) else DEFAULT_DB
    return address, at if isinstance(at, str) else None
