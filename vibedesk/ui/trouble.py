"""What stands in the window when it could not start: why, what to do about it, and a way to try again."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.ui.widgets import Button, Label, TopBar, bare, centred


class TroublePage(QWidget):
    """`again` when the person wants the start tried once more, `quit_wanted` when not."""

    again = Signal()
    quit_wanted = Signal()

    def __init__(self, sentence: str, fix: str) -> None:
        super().__init__()
        inside = QWidget()
        column: QVBoxLayout = bare(QVBoxLayout(inside), 8)
        self.sentence = Label(sentence, "body", wrap=True).selectable()
        self.fix = Label(fix, "muted", wrap=True).selectable()
        column.addWidget(Label(self.tr("VibeDesk could not start"), "title"))
        column.addWidget(self.sentence)
        column.addWidget(self.fix)
        column.addSpacing(8)
        self.retry = Button(self.tr("Try again"), "primary").on(self.again.emit)
        self.quit = Button(self.tr("Quit")).on(self.quit_wanted.emit)
        row: QHBoxLayout = bare(QHBoxLayout(), 8)
        row.addWidget(self.retry)
        row.addWidget(self.quit)
        row.addStretch(1)
        column.addLayout(row)
        page: QVBoxLayout = bare(QVBoxLayout(self))
        page.addWidget(TopBar())
        page.addStretch(2)
        middle = centred(inside, 560)
        middle.setContentsMargins(32, 0, 32, 0)
        page.addLayout(middle)
        page.addStretch(3)
        self.setFocusProxy(self.retry)
        self.retry.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
