"""A view of words that loads nothing, opens nothing and lets nothing in."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QByteArray, QMimeData, QSize, Qt, QUrl
from PySide6.QtWidgets import QTextBrowser, QWidget


class ClosedView(QTextBrowser):
    """Whatever its document names stays where it is: no file is read, no address is asked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return False

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing, ever: no file, no address. Pictures the user attached are in the document already.

        Trap: for an empty answer the document reads local files itself, so nothing is one blank.
        """
        return QByteArray(b" ")

    def doSetSource(self, name: QUrl | str, kind: Any = None) -> None:
        """The view shows one document and goes nowhere."""

    def sizeHint(self) -> QSize:
        return QSize(400, 400)
