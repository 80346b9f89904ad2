"""Whether somebody sits there: keys, mouse and touch as they reach a window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject

_TYPES = {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TouchBegin,
}


class Hands(QObject):
    """Calls `moved` at each of them. Watches the native window, which sees a small part of what an application does."""

    def __init__(self, window: QObject, moved: Callable[[], object]) -> None:
        super().__init__(window)
        self._moved = moved
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TYPES:
            self._moved()
        return False
