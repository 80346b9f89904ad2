"""Work that takes milliseconds of the window's thread: one piece, then whatever else has waited, then the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QObject, Qt, QTimer

INSIDE_MS = 50
"""When the next piece comes at the latest, where the one before runs a loop of Qt's own."""


class Relay(QObject):
    """First wanted, first done. Between two pieces Qt paints and hears keys and timers.

    Sockets are read, words written and pages painted in pieces of two to four milliseconds each. When two of them
    follow one another in one round of Qt's loop, what came due meanwhile waits for both and for a painting: a third
    longer than it has to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted: deque[Callable[[], object]] = deque()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._do)

    def want(self, work: Callable[[], object]) -> None:
        """Has `work` done once, soon. Wanted again before that it is still done once."""
        if work not in self._wanted:
            self._wanted.append(work)
        if not self._timer.isActive():
            self._timer.start(0)

    def _do(self) -> None:
        work = self._wanted.popleft()
        if self._wanted:
            self._timer.start(INSIDE_MS)
        try:
            work()
        finally:
            if self._wanted:
                self._timer.start(0)  # counted from now: what came due meanwhile is older, and comes first


@cache
def relay() -> Relay:
    """That of the window's thread."""
    return Relay()
