"""The rows of a list: read a page at a time as they are looked at, typed, and as a table where pandas is there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")
_UTC = "_at"  # what ends so is a time of the log


class Rows(Generic[T]):
    """Iterate over it as often as you like: each time the list is asked anew, page by page, all pages of one moment."""

    def __init__(self, ask: Callable[[], Iterator[T]], row: type[T]) -> None:
        self._ask, self.row = ask, row

    def __iter__(self) -> Iterator[T]:
        return self._ask()

    def first(self) -> T | None:
        """The first row; None where there is none."""
        return next(iter(self), None)

    def to_list(self) -> list[T]:
        return list(self)

    def to_dataframe(self) -> "pandas.DataFrame":
        """A column a field. Times of the log (``..._at``) are in UTC. Raises ImportError where pandas is not there."""
        return to_dataframe(self, columns=[field.name for field in fields(self.row)])  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"<Rows of {self.row.__name__}>"


def to_dataframe(rows: Iterable[Any], *, columns: list[str] | None = None) -> "pandas.DataFrame":
    """A table of any rows that an answer holds, such as the ``events`` of a history. A column a field; times of the log
    are in UTC. Raises ImportError where pandas is not there, TypeError for what is no row."""
    try:
        import pandas
    except ImportError:
        raise ImportError("A table needs pandas, which is not installed: pip install pandas") from None
    plain = []
    for row in rows:
        if not is_dataclass(row):
            raise TypeError(f"{type(row).__name__} is no row of an answer")
        plain.append({field.name: getattr(row, field.name) for field in fields(row)})
    table = pandas.DataFrame.from_records(plain, columns=columns)
    for name in table.columns:
        if str(name).endswith(_UTC):
            table[name] = pandas.to_datetime(table[name], utc=True, format="ISO8601")
    return table
