"""Every action by its name (Ctrl+K), and every shortcut on one sheet (F1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QFontMetricsF, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from vibedesk.state.rows import RowsModel
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Button, Field, Hairline, Keycap, Label, bare

ROW = 34


class Command(Struct, frozen=True):
    """An action as the palette lists it."""

    id: str
    title: str
    shortcut: str
    enabled: bool = True


def match(query: str, text: str) -> int | None:
    """How well the letters of `query`, in order, fit `text`: higher is better, None = not at all."""
    score, position, last = 0, 0, -2
    folded = text.casefold()
    for letter in query.casefold().replace(" ", ""):
        found = folded.find(letter, position)
        if found < 0:
            return None
        starts_word = found == 0 or not folded[found - 1].isalnum()
        score += 8 if found == last + 1 else 5 if starts_word else 1
        last, position = found, found + 1
    return score * 100 - len(text)


def shortcut_of(action: QAction) -> str:
    """Its first shortcut as the platform writes it, "" when it has none."""
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


class Palette(Sheet):
    """Type a few letters, Enter runs the action. Actions that cannot run now are left out."""

    def __init__(self, host: QWidget, theme: Theme, actions: Sequence[QAction]) -> None:
        super().__init__(host, theme, title="Commands", width=560, top=True)
        self.setProperty("light", True)
        self._actions = {str(number): action for number, action in enumerate(actions) if action.isEnabled()}
        self._commands = [
            Command(key, action.text(), shortcut_of(action)) for key, action in self._actions.items()
        ]
        self.rows = RowsModel(self, text=lambda command: command.title)
        self.field = Field(self.tr("Type a command…"), large=True, name=self.tr("Command"))
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setItemDelegate(_CommandPainter(theme, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.nothing = Label(self.tr("No command has this name."), "muted")
        self.body.addWidget(self.field)
        self.body.addWidget(self.list)
        self.body.addWidget(self.nothing, 0, Qt.AlignmentFlag.AlignCenter)
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list.clicked.connect(lambda _: self._run())
        self._filter("")

    def open(self) -> None:
        super().open()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.field:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            if event.key() in steps:
                self._step(steps[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)

    def _filter(self, query: str) -> None:
        scored = [(match(query, command.title), command) for command in self._commands]
        found = [(score, command) for score, command in scored if score is not None]
        if query.strip():
            found.sort(key=lambda pair: -pair[0])
        self.rows.set_rows([command for _, command in found])
        self.list.setFixedHeight(min(10, max(1, len(found))) * ROW + 4)
        self.list.setVisible(bool(found))
        self.nothing.setVisible(not found)
        self.list.setCurrentIndex(self.rows.index(0))
        self.list.scrollToTop()

    def _step(self, by: int) -> None:
        row = max(0, min(self.rows.rowCount() - 1, self.list.currentIndex().row() + by))
        self.list.setCurrentIndex(self.rows.index(row))

    def _run(self) -> None:
        index = self.list.currentIndex()
        if not index.isValid():
            return
        action = self._actions[self.rows.value(index.row()).id]
        self.accept()
        action.trigger()


class _CommandPainter(QStyledItemDelegate):
    """Title on the left, shortcut on the right."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command: Command = index.data(Qt.ItemDataRole.UserRole)
        view: Any = self.parent()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if index == view.currentIndex():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent-weak"))
            painter.drawRoundedRect(rect, 6, 6)
        inner = rect.adjusted(10, 0, -10, 0)
        small = body_font(12)
        width = QFontMetricsF(small).horizontalAdvance(command.shortcut) + 12
        painter.setFont(body_font())
        painter.setPen(self._theme.colour("text"))
        title = QFontMetricsF(body_font()).elidedText(
            command.title, Qt.TextElideMode.ElideRight, inner.width() - width
        )
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        painter.setFont(small)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, command.shortcut)
        painter.restore()


ALWAYS = (
    ("Shift+Enter", "Break the line"),
    ("↑", "Take the last message up again, in an empty composer"),
    ("Tab", "Next control"),
)


class Cheatsheet(Sheet):
    """All shortcuts, in two columns."""

    def __init__(self, host: QWidget, theme: Theme, actions: Sequence[QAction]) -> None:
        super().__init__(host, theme, title="Keyboard", width=680)
        self.setProperty("light", True)
        lines = [(shortcut_of(action), action.text()) for action in actions if shortcut_of(action)]
        grid = bare(QGridLayout(), 0)
        grid.setHorizontalSpacing(32)
        grid.setVerticalSpacing(8)
        lines += list(ALWAYS)
        half = (len(lines) + 1) // 2
        for number, (keys, title) in enumerate(lines):
            grid.addLayout(_line(keys, title), number % half, number // half)
        self.body.addSpacing(4)
        self.body.addLayout(grid)
        self.body.addSpacing(8)
        self.body.addWidget(Hairline())
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Close")).on(self.accept))


def _line(keys: str, title: str) -> QHBoxLayout:
    row: QHBoxLayout = bare(QHBoxLayout(), 8)
    row.addWidget(Label(title, wrap=True), 1)
    row.addWidget(Keycap(keys))
    return row
