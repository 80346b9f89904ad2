"""The conversation's name in the top bar, edited where it stands."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLineEdit, QSizePolicy


class Title(QLineEdit):
    """The conversation's name, edited where it stands. `renamed(title)`."""

    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("title")
        self.setProperty("bare", True)
        self.setPlaceholderText(self.tr("New conversation"))
        self.setAccessibleName(self.tr("Conversation title"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMaxLength(80)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(lambda _: self._fit())
        self.editingFinished.connect(self._done)
        self._fit()

    def show_title(self, title: str) -> None:
        self.setText(title)
        self.setCursorPosition(0)

    def _fit(self) -> None:
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        words = self.text() or self.placeholderText()
        return QSize(round(QFontMetricsF(self.font()).horizontalAdvance(words)) + 16, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 28)

    def _done(self) -> None:
        self.setCursorPosition(0)
        self.deselect()
        self.renamed.emit(self.text())
        if self.hasFocus():
            self.clearFocus()
