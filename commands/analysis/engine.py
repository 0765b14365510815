"""DuckDB: tables of columns that do not have to fit into memory. The only module that imports it.

Each engine is a database of its own, in memory. It reaches no file but those that it was opened for; what does not fit
goes into a private folder, which takes half of the free disk at most and is gone at the end, or removed by the next
engine. Nobody can change that once it is open.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from commands.door.alone import lock
from commands.door.private_files import OWN
from ledger.errors import Refusal

MEMORY = "192MB"
"""What the tables of one engine may hold of it; beside it stand the program itself and a page of rows."""
_PREFIX, _LOCK = "daybook-copy-", "lock"
_AS_THEY_ARE = frozenset({"BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "BLOB", "VARCHAR", "VARCHAR[]"})
Row = Sequence[Any]


class EngineError(Exception):
    """What DuckDB says, in its own words. ``kind`` is its error, such as Binder; ``about`` what else it tells: the
    ``position`` in the statement (a number of bytes, as text), the ``name`` that it does not know."""

    def __init__(self, kind: str, message: str, about: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.kind, self.message, self.about = kind, message, about


class Engine:
    """``writes_to`` is a folder in which it may make files, ``reads`` the files that it may read, each by the name that
    ``place`` gives."""

    def __init__(self, *, reads: Sequence[Path] = (), writes_to: Path | None = None) -> None:
        duckdb = _duckdb()
        _remove_left_behind()
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # for its owner alone
        self._places: dict[Path, Path] = {}
        self._lock = -1
        try:
            self._lock = _locked(self._folder)
            for number, file in enumerate(reads):
                place = (
                    self._folder / f"{number}.parquet"
                )  # names of files may have what DuckDB takes for a pattern
                place.symlink_to(file.absolute())
                self._places[file] = place
            self._connection = duckdb.connect(
                ":memory:",
                config={
                    "threads": 1,  # the same rows give the same file
                    "memory_limit": MEMORY,
                    "temp_directory": str(self._folder / "spilled"),
                    "max_temp_directory_size": f"{shutil.disk_usage(self._folder).free // 2}B",
                    "python_enable_replacements": "false",
                    "errors_as_json": "true",
                    "autoload_known_extensions": "false",
                    "autoinstall_known_extensions": "false",
                    "allow_community_extensions": "false",
                },
            )
            folders = [self._folder, *([] if writes_to is None else [writes_to.absolute()])]
            self.run("SET TimeZone = 'UTC'")
            self.run("SET enable_progress_bar = false")  # it would go to standard output
            self.run(f"SET allowed_directories = [{', '.join(map(_text, folders))}]")
            self.run(f"SET allowed_paths = [{', '.join(map(_text, self._places.values()))}]")
            self.run("SET enable_external_access = false")
            self.run("SET lock_configuration = true")
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(Exception):
            self._connection.close()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The connection, to fetch from. Raises EngineError, KeyboardInterrupt."""
        duckdb = _duckdb()
        try:
            return self._connection.execute(sql, list(values))
        except duckdb.Error as error:
            raise _told(error) from error
        except RuntimeError as error:
            raise _interrupted(error) from error

    def pages(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, so many at a time, as they come."""
        self.run(sql)
        yield from self.fetched(size)

    def fetched(self, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of what was run last."""
        duckdb = _duckdb()
        try:
            while rows := self._connection.fetchmany(size):
                yield rows
        except duckdb.Error as error:
            raise _told(error) from error
        except RuntimeError as error:
            raise _interrupted(error) from error

    def statements(self, sql: str) -> list[str]:
        """The kind of each statement in a text: SELECT, COPY, ... Raises EngineError where it is none."""
        duckdb = _duckdb()
        try:
            return [str(each.type).rpartition(".")[2] for each in self._connection.extract_statements(sql)]
        except duckdb.Error as error:
            raise _told(error) from error

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        """``columns``: their types by their names."""
        self.run(f"CREATE TABLE {table} ({', '.join(f'{_name(name)} {columns[name]}' for name in columns)})")

    def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
        """Rows in the order of the columns."""
        if rows:
            values = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
            self.run(
                f"INSERT INTO {table} SELECT {values}", [list(column) for column in zip(*rows, strict=True)]
            )

    def write_parquet(self, table: str, file: Path, *, rows_in_group: int) -> None:
        how = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows_in_group:d}"
        self.run(f"COPY {table} TO {_text(file.absolute())} ({how})")

    def parquet(self, files: Sequence[Path]) -> str:
        """What stands for some of the files that it reads, in a statement."""
        places = ", ".join(_text(self._places[file]) for file in files)
        return f"read_parquet([{places}], hive_partitioning = false)"


def _locked(folder: Path) -> int:
    """A lock in a folder, for as long as its engine lives. It gets its name when it is held: nobody finds it free."""
    unheld = folder / f"{_LOCK}.new"
    descriptor = os.open(unheld, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWN)
    lock(descriptor)
    unheld.rename(folder / _LOCK)
    return descriptor


def _remove_left_behind() -> None:
    """The folders of engines that were killed: they hold copies."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:  # somebody else's, or not yet locked
            continue
        try:
            lock(descriptor)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(descriptor)


def require_engine() -> None:
    """Raises Refusal where DuckDB is not installed."""
    _duckdb()


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise Refusal(
            "no-duckdb",
            "Archives and queries are made by DuckDB, which is not installed.",
            'Install it: pip install "daybook-ledger[query]"',
        ) from None
    return duckdb


def _told(error: Exception) -> EngineError:
    _, _, told = str(error).partition(": ")
    try:
        about = orjson.loads(told)
        return EngineError(about["exception_type"], about["exception_message"], about)
    except (ValueError, KeyError, TypeError):
        return EngineError(type(error).__name__, str(error))


def _given(kind: str) -> str:
    return kind if kind in _AS_THEY_ARE else "VARCHAR"


def _interrupted(error: RuntimeError) -> BaseException:
    return KeyboardInterrupt() if "interrupted" in str(error).casefold() else error


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
