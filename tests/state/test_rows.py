"""Rows as Qt wants them: whatever list comes next, a watcher of the signals ends with the same list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from vibedesk.state.rows import RowsModel


class Row(Struct, frozen=True):
    id: int
    text: str = ""


class Mirror:
    """Keeps a copy by the signals alone."""

    def __init__(self, model: RowsModel) -> None:
        self.model = model
        self.rows: list[Any] = list(model.rows())
        model.rowsInserted.connect(self._insert)
        model.rowsRemoved.connect(self._remove)
        model.rowsMoved.connect(self._move)
        model.dataChanged.connect(self._change)

    def _insert(self, _: object, first: int, last: int) -> None:
        self.rows[first:first] = [self.model.value(row) for row in range(first, last + 1)]

    def _remove(self, _: object, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def _move(self, _: object, first: int, _last: int, __: object, target: int) -> None:
        row = self.rows.pop(first)
        self.rows.insert(target if target < first else target - 1, row)

    def _change(self, first: Any, last: Any) -> None:
        for row in range(first.row(), last.row() + 1):
            self.rows[row] = self.model.value(row)


lists = st.lists(st.builds(Row, st.integers(0, 12), st.sampled_from("ab")), unique_by=lambda row: row.id)


@given(st.lists(lists, min_size=1, max_size=5))
def test_the_signals_tell_the_whole_story(steps: list[list[Row]]) -> None:
    model = RowsModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    mirror = Mirror(model)
    for rows in steps:
        model.set_rows(rows)
        assert list(model.rows()) == rows
        assert mirror.rows == rows


def test_a_row_that_stays_keeps_its_index() -> None:
    model = RowsModel()
    model.set_rows([Row(1), Row(2), Row(3)])
    kept = QPersistentModelIndex(model.index(2))
    model.set_rows([Row(3, "new"), Row(4), Row(1)])
    assert kept.row() == 0
    assert kept.data(Qt.ItemDataRole.UserRole) == Row(3, "new")


def test_an_equal_list_changes_nothing() -> None:
    model, told = RowsModel(), []
    model.set_rows([Row(1), Row(2)])
    for signal in (model.rowsInserted, model.rowsRemoved, model.rowsMoved, model.dataChanged):
        signal.connect(lambda *_: told.append(1))
    model.set_rows([Row(1), Row(2)])
    assert told == []


def test_two_rows_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        RowsModel().set_rows([Row(1), Row(1, "again")])


def test_values_texts_and_places_can_be_asked_for() -> None:
    model = RowsModel(text=lambda row: f"row {row.id}")
    model.set_rows([Row(7), Row(9)])
    assert model.index(1).data() == "row 9"
    assert model.index(1).data(Qt.ItemDataRole.UserRole) == Row(9)
    assert (model.row_of(9), model.row_of(8)) == (1, -1)
    assert model.index(5).data() is None
