"""Finding words in the open conversation: a bar above the lanes, one place after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from vibedesk.state.finding import Finder, Found
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Field, Label, bare, set_state

FIELD_WIDTH = 240
Texts = Callable[[], Sequence[Sequence[str]]]
"""What each lane shows, thing said by thing said."""


class FindBar(QFrame):
    """`reveal(place, words)` shows one place and marks it; `unmark()` when none is to be marked any more."""

    def __init__(
        self,
        theme: Theme,
        texts: Texts,
        reveal: Callable[[Found, str], object],
        unmark: Callable[[], object],
    ) -> None:
        super().__init__()
        self.setObjectName("findBar")
        self._texts, self._reveal, self._unmark = texts, reveal, unmark
        self._finder = Finder()
        self._places: list[Found] = []
        self._at = -1
        self._before: QWidget | None = None
        self.field = Field(self.tr("Find in this conversation"))
        self.field.setFixedWidth(FIELD_WIDTH)
        self.field.textChanged.connect(self._look)
        self.field.installEventFilter(self)
        self.count = Label("", "small")
        self.count.setMinimumWidth(72)
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = bare(QHBoxLayout(self), 4)
        row.setContentsMargins(16, 6, 10, 6)
        row.addStretch(1)
        row.addWidget(self.field)
        row.addWidget(self.count)
        for icon, name, act in (
            ("caret-up", self.tr("The place before"), lambda: self.step(-1)),
            ("caret-down", self.tr("The next place"), lambda: self.step(1)),
            ("x", self.tr("Close"), self.leave),
        ):
            row.addWidget(Button("", "quiet", theme.icon(icon, size=14)).named(name).on(act))
        self.hide()

    def open(self, words: str = "") -> None:
        """Shows the bar; with `words` it goes to their first place."""
        window = self.window()
        self._before = window.focusWidget()
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if words:
            self.field.setText(words)
        self.field.selectAll()
        self._look()

    def leave(self) -> None:
        """Hides the bar; the keyboard goes back where it was."""
        self.hide()
        self._unmark()
        self._finder = Finder()  # what was searched is not kept
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)

    def step(self, by: int) -> None:
        """Goes on by so many places, round the end."""
        # the conversation may have grown since the last step
        self._places = self._finder.places_of(self.field.text(), self._texts())
        if self._places:
            start = self._at if self._at >= 0 or by > 0 else 0
            self._at = (start + by) % len(self._places)
            self._reveal(self._places[self._at], self.field.text())
        self._tell()

    def _look(self) -> None:
        self._places, self._at = self._finder.places_of(self.field.text(), self._texts()), -1
        if self._places:
            self.step(1)
        else:
            self._unmark()
        self._tell()

    def _tell(self) -> None:
        looked = bool(self.field.text().strip())
        if self._places:
            words = self.tr("{at} of {count}").format(at=f"{self._at + 1:,}", count=f"{len(self._places):,}")
        else:
            words = self.tr("none") if looked else ""
        self.count.setText(words)
        set_state(self.count, "role", "warn" if looked and not self._places else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
        # Trap: Esc is also the shortcut that stops all lanes; the field claims it first.
        if (
            watched is self.field
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return bool(super().eventFilter(watched, event))
