"""A page over real states in a window that is shown, and the two gestures tests make of it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from vibedesk.store.paths import resources
from vibedesk.ui.theme import Theme

W = TypeVar("W", bound=QWidget)
Key = Qt.Key


def themed(mode: str = "light") -> Theme:
    """The theme, applied to the application of the tests."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme = Theme(resources())
    theme.apply(app, mode)
    return theme


def shown(page: W, width: int = 1200, height: int = 760) -> W:
    """The page as a window of its own, which may be as small as the program's window allows its pages to be."""
    page.setMinimumSize(1, 1)
    page.resize(width, height)
    page.show()
    page.activateWindow()
    return page


def press(widget: QWidget, *keys: Key, control: bool = False) -> None:
    """Presses the keys, one after the other, on `widget`."""
    modifier = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    for key in keys:
        QTest.keyClick(widget, key, modifier)


def stops_of(start: QWidget, key: Key) -> list[QWidget]:
    """What Tab or Backtab comes to from `start` on, once round."""
    start.setFocus()
    seen: list[QWidget] = []
    while (now := QApplication.focusWidget()) is not None and now not in seen:
        seen.append(now)
        QTest.keyClick(now, key)
    return seen


def columns_of(table: QWidget) -> list[str]:
    """Titles of the columns that are not hidden."""
    model = table.model()  # type: ignore[attr-defined]
    return [
        model.headerData(number, Qt.Orientation.Horizontal)
        for number in range(model.columnCount())
        if not table.isColumnHidden(number)  # type: ignore[attr-defined]
    ]
