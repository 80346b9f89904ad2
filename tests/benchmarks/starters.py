"""The two windows that are compared, each in a process of its own: `starters.py bare|vibedesk BEGAN`.

Prints, as JSON, when it was painted first, when a letter typed then had been taken, when a question could be sent
(seconds after BEGAN on the monotonic clock, which all processes share), and its resident megabytes two seconds later.
"""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SETTLED_MS = 2_000
found: dict[str, float] = {}


def note(what: str, began: float) -> None:
    found.setdefault(what, time.monotonic() - began)


def tell() -> None:
    import json

    print(json.dumps(found), flush=True)


def megabytes() -> float:
    """Resident, as the system counts it (Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


def bare(began: float) -> None:
    """The least that Qt shows: the floor."""
    from PySide6.QtCore import QTimer
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QApplication, QWidget

    app = QApplication([])

    class Bare(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            note("first paint", began)

    window = Bare()
    window.resize(1280, 800)
    window.show()

    def settle() -> None:
        found["memory"] = megabytes()
        app.quit()

    QTimer.singleShot(SETTLED_MS, settle)
    app.exec()
    tell()


def vibedesk(began: float) -> None:
    """The program as `python -m vibedesk` runs it; what is listened to costs next to nothing."""
    sys.argv = ["vibedesk"]
    from vibedesk.terminal import main, window

    looked = window.qt_problem

    def look(environ: Mapping[str, str]) -> str:
        """The last that is done before the window's own code is called."""
        problem = looked(environ)
        listen(began)
        return problem

    window.qt_problem = look
    status = main([])
    tell()
    sys.exit(status)


def listen(began: float) -> None:
    from vibedesk import front

    painted = front.Front.paint
    filled = front.Front.fill

    def paint(self: front.Front) -> None:
        from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
        from PySide6.QtGui import QKeyEvent

        painted(self)
        note("first paint", began)
        assert self.stage is not None
        words = self.stage.composer.words
        words.textChanged.connect(lambda: note("ready to type", began))
        press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a")
        QCoreApplication.postEvent(words, press)

        def settle() -> None:
            found["memory"] = megabytes()
            self.window.close()

        QTimer.singleShot(SETTLED_MS, self, settle)

    def fill(self: front.Front, page: str) -> None:
        filled(self, page)
        note("ready to ask", began)

    front.Front.paint, front.Front.fill = paint, fill  # type: ignore[method-assign]


if __name__ == "__main__":
    {"bare": bare, "vibedesk": vibedesk}[sys.argv[1]](float(sys.argv[2]))
