"""Rows as tables, where pandas is there; and what is said where it is not."""

import sys

import pytest

import daybook
from tests.python.conftest import Connect


def test_without_pandas_it_is_said_what_to_install(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ImportError, match="pip install pandas"):
        connect().sessions().to_dataframe()


def test_rows_are_a_table_with_a_column_for_each_field(connect: Connect) -> None:
    pandas = pytest.importorskip("pandas", reason="LOUD: pandas is not installed, so no table is made")
    client = connect()
    assert client.upload("12345.yml").ok

    table = client.sessions().to_dataframe()
    none = client.sessions(subject="nobody").to_dataframe()
    events = daybook.to_dataframe(client.history(table["session"][0]).events)

    assert len(table) == 3 and set(table["status"]) == {"inserted"}
    assert list(none.columns) == list(table.columns) and len(none) == 0
    assert isinstance(table["requested_at"].dtype, pandas.DatetimeTZDtype)
    assert isinstance(none["requested_at"].dtype, pandas.DatetimeTZDtype)
    assert list(events["type"]) == ["SessionInsertRequested", "SessionInserted"]


def test_what_is_no_row_is_refused() -> None:
    pytest.importorskip("pandas", reason="LOUD: pandas is not installed, so no table is made")
    with pytest.raises(TypeError, match="str is no row"):
        daybook.to_dataframe(["s12"])
