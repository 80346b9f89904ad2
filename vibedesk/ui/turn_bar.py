"""What can be done with one thing said: a small bar beside it while the pointer is over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Label, bare

HEIGHT = 30


class TurnBar(QFrame):
    """`acted(entry, action)`: earlier, later, copy, plain, edit, again, continue, remove. `entry` counts from 0."""

    acted = Signal(int, str)

    def __init__(self, theme: Theme, view: QWidget) -> None:
        super().__init__(view)
        self.setObjectName("turnBar")
        self.setFixedHeight(HEIGHT)
        self.entry = -1
        self.place = Label("", "small")
        row = bare(QHBoxLayout(self))
        row.setContentsMargins(3, 1, 3, 1)
        self.buttons: dict[str, Button] = {}
        for action, icon, name in (
            ("earlier", "caret-left", self.tr("Earlier version")),
            ("later", "caret-right", self.tr("Later version")),
            ("continue", "play", self.tr("Continue")),
            ("edit", "pencil-simple", self.tr("Edit and ask anew")),
            ("again", "arrows-clockwise", self.tr("Ask again")),
            ("copy", "copy", self.tr("Copy as Markdown")),
            ("plain", "text-t", self.tr("Copy as plain text")),
            ("remove", "trash", self.tr("Remove this turn")),
        ):
            button = Button("", "quiet", theme.icon(icon, size=16)).named(name)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.on(lambda action=action: self.acted.emit(self.entry, action))  # type: ignore[misc]
            self.buttons[action] = button
            row.addWidget(button)
            if action == "earlier":
                row.addWidget(self.place)
        self.hide()

    def offer(self, entry: int, at: QRectF, actions: set[str], place: int = 0, versions: int = 1) -> None:
        """Shows what can be done with `entry`, which stands `at` in the view; `place` of its versions from 0."""
        self.entry = entry
        for action, button in self.buttons.items():
            button.setVisible(action in actions)
        self.buttons["earlier"].setVisible(versions > 1)
        self.buttons["later"].setVisible(versions > 1)
        self.buttons["earlier"].setEnabled(place > 0)
        self.buttons["later"].setEnabled(place < versions - 1)
        self.place.setVisible(versions > 1)
        self.place.setText(f"{place + 1}/{versions}")
        self.adjustSize()
        # Under a bubble, beside the count of its versions where there is one; over the first line of an answer.
        top = at.top() - HEIGHT + 6 if "edit" not in actions else at.bottom() - (25 if versions > 1 else -10)
        lowest = self.parentWidget().height() - HEIGHT - 4
        self.move(max(4, self.parentWidget().width() - self.width() - 8), max(4, min(round(top), lowest)))
        self.show()
        self.raise_()
