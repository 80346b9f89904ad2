"""A panel that slides out beside a page, or over it where the two have no room side by side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

LEAST = 480
"""Pixels that the page keeps beside the panel."""


class Drawer(QObject):
    """Puts `panel`, which has a fixed width, left of `beside` in `row`. Over it, it closes once that has the focus."""

    def __init__(self, row: QHBoxLayout, panel: QWidget, beside: QWidget) -> None:
        super().__init__(panel)
        self._row, self._panel, self._beside = row, panel, beside
        self.over = False
        panel.hide()
        row.addWidget(panel)
        row.addWidget(beside, 1)
        self._page = panel.parentWidget()
        self._page.installEventFilter(self)
        panel.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._focus_moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.Resize:
            self._place()
            self._focus_moved(None, QApplication.focusWidget())
        if watched is self._panel and event.type() == QEvent.Type.Show:
            self._place()
        if watched is self._panel and isinstance(event, QKeyEvent) and self._leaves(event):
            self._beside.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return super().eventFilter(watched, event)

    def _leaves(self, event: QKeyEvent) -> bool:
        return self.over and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape

    def _place(self) -> None:
        over = self._page.width() < self._panel.maximumWidth() + LEAST
        if over != self.over:
            self.over = over
            self._row.removeWidget(self._panel)
            if not over:
                self._row.insertWidget(0, self._panel)
        if self.over:
            self._panel.setGeometry(0, 0, self._panel.maximumWidth(), self._page.height())
            self._panel.raise_()

    def _focus_moved(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self.over and now is not None and self._beside.isAncestorOf(now):
            self._panel.hide()
