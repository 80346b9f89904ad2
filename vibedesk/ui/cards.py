"""Widgets in the flow of a transcript: each stands under an answer, in room that the words leave free."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QTextBrowser, QWidget

from vibedesk.ui.stretch import Stretch


class Cards(QObject):
    """By the place of their answer among the answers."""

    wants_room = Signal(int)
    """The card under this answer may need more or less than it has."""

    def __init__(self, view: QTextBrowser, script: Stretch) -> None:
        super().__init__(view)
        self._view, self._script = view, script
        self._widgets: dict[int, QWidget] = {}

    def clear(self) -> None:
        for widget in self._widgets.values():
            widget.deleteLater()
        self._widgets = {}

    def put(self, answer: int, widget: QWidget) -> None:
        """Instead of the one that was there; it belongs to the view from now on."""
        old = self._widgets.pop(answer, None)
        if old is not None:
            old.deleteLater()
        widget.setParent(self._view.viewport())
        widget.installEventFilter(self)
        self._widgets[answer] = widget
        widget.show()

    def under(self, answer: int) -> QWidget | None:
        return self._widgets.get(answer)

    def measure(self, answer: int, width: int) -> None:
        """Has the words leave as much room as the card takes at a width in pixels."""
        widget = self._widgets[answer]
        height = widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()
        self._script.make_room(answer, max(height, widget.minimumSizeHint().height()))

    def measure_all(self, width: int) -> None:
        for answer in self._widgets:
            self.measure(answer, width)

    def place(self, left: int, width: int) -> None:
        """Moves each into its room; where that is not drawn it is hidden."""
        layout = self._view.document().documentLayout()
        scrolled = self._view.verticalScrollBar().value()
        for answer, cursor in self._script.cards():
            widget = self._widgets.get(answer)
            if widget is None:
                continue
            widget.setVisible(cursor is not None)
            if cursor is not None:
                top = layout.blockBoundingRect(cursor.block()).top() - scrolled
                widget.setGeometry(left, _top(cursor, top), width, int(cursor.blockFormat().lineHeight()))

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            for answer, widget in list(self._widgets.items()):
                if widget is watched:
                    self.wants_room.emit(answer)
        return bool(super().eventFilter(watched, event))


def _top(cursor: QTextCursor, top: float) -> int:
    """Where the line that keeps the room begins, in a block that begins at `top`."""
    layout = cursor.block().layout()
    line = layout.lineAt(0)
    return round(top - line.y() + layout.boundingRect().top()) if line.isValid() else round(top)
