"""What may be wider than its room: scrolled sideways, with the keyboard too."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from vibedesk.ui.widgets import set_state

STEP = 60
"""Pixels an arrow key scrolls."""


class Sideways(QScrollArea):
    """As high as `inside`, and as wide as it is allowed to be; Tab stops here only where there is more to see."""

    def __init__(self, inside: QWidget, name: str) -> None:
        super().__init__()
        self._inside = inside
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        inside.setProperty("scrolled", True)
        self.setWidget(inside)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        bar = self.horizontalScrollBar().sizeHint().height() if self._is_over(width) else 0
        return self._inside.sizeHint().height() + bar

    def sizeHint(self) -> QSize:
        return self._inside.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self._inside.sizeHint().height())

    def _is_over(self, width: int) -> bool:
        return width < self._inside.minimumSizeHint().width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        over = self._is_over(self.width())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if over else Qt.FocusPolicy.NoFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        set_state(self.horizontalScrollBar(), "reached", True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        set_state(self.horizontalScrollBar(), "reached", False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + step)
