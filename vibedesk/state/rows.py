"""A list of frozen values as Qt wants it: one row a value, changed by the smallest number of steps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


def _itself(row: Any) -> Any:
    return getattr(row, "id", row)


class RowsModel(QAbstractListModel):
    """`Qt.ItemDataRole.UserRole` gives the value, the display role what `text` makes of it.

    Rows are the same when their keys are equal (by default their `id`, else the value itself).
    """

    def __init__(self, parent: QObject | None = None, *, text: Callable[[Any], str] = str) -> None:
        super().__init__(parent)
        self._rows: list[Any] = []
        self._keys: list[Hashable] = []
        self._text = text

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        if role == Qt.ItemDataRole.UserRole:
            return self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(self._rows[index.row()])
        return None

    def rows(self) -> tuple[Any, ...]:
        """All values, in order."""
        return tuple(self._rows)

    def value(self, row: int) -> Any:
        """The value in `row`; IndexError beyond the end."""
        return self._rows[row]

    def row_of(self, key: Hashable) -> int:
        """Where the row with this key stands, -1 if nowhere."""
        return self._keys.index(key) if key in self._keys else -1

    def set_rows(self, rows: Sequence[Any], key: Callable[[Any], Hashable] = _itself) -> None:
        """Makes the list equal `rows`; rows that stay keep their selection. Equal keys twice: ValueError."""
        keys = [key(row) for row in rows]
        if len(set(keys)) != len(keys):
            raise ValueError("two rows have the same key")
        self._drop_all_but(set(keys))
        position = 0
        while position < len(keys):
            if position < len(self._keys) and self._keys[position] == keys[position]:
                self._replace(position, rows[position])
                position += 1
            elif keys[position] in self._keys:
                self._move(self._keys.index(keys[position]), position)
            else:
                position = self._insert(position, keys, rows)

    def _drop_all_but(self, kept: set[Hashable]) -> None:
        last = len(self._keys) - 1
        while last >= 0:
            if self._keys[last] in kept:
                last -= 1
                continue
            first = last
            while first > 0 and self._keys[first - 1] not in kept:
                first -= 1
            self.beginRemoveRows(_NO_PARENT, first, last)
            del self._keys[first : last + 1], self._rows[first : last + 1]
            self.endRemoveRows()
            last = first - 1

    def _replace(self, position: int, row: Any) -> None:
        if self._rows[position] != row:
            self._rows[position] = row
            index = self.index(position)
            self.dataChanged.emit(index, index)

    def _move(self, source: int, target: int) -> None:
        self.beginMoveRows(_NO_PARENT, source, source, _NO_PARENT, target)
        self._keys.insert(target, self._keys.pop(source))
        self._rows.insert(target, self._rows.pop(source))
        self.endMoveRows()

    def _insert(self, position: int, keys: list[Hashable], rows: Sequence[Any]) -> int:
        present = set(self._keys)
        end = position
        while end < len(keys) and keys[end] not in present:
            end += 1
        self.beginInsertRows(_NO_PARENT, position, end - 1)
        self._keys[position:position] = keys[position:end]
        self._rows[position:position] = rows[position:end]
        self.endInsertRows()
        return end
