"""The list of conversations that slides out of the rail."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from vibedesk.state.history import History
from vibedesk.store.history import ConversationSummary
from vibedesk.ui import harmless
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Button, Empty, Field, Label, bare

WIDTH = 272
ROW = 48


class HistoryPanel(QFrame):
    """`opened(id)` when one is chosen, `new_wanted` for an empty one."""

    opened = Signal(str)
    new_wanted = Signal()

    def __init__(self, history: History, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("conversations")
        self.setFixedWidth(WIDTH)
        self._history = history
        self.search = Field(self.tr("Find in conversations"))
        self.search.textChanged.connect(history.find)
        self.list = _List(history, theme)
        self.list.activated.connect(self._open)
        self.list.clicked.connect(self._open)
        self.list.removal_wanted.connect(history.remove)
        self._nothing = Empty("", self.tr("What you ask is kept here."))
        new = Button("", "quiet", theme.icon("note-pencil", size=18)).named(self.tr("New conversation"))
        top = bare(QHBoxLayout(), 8)
        top.setContentsMargins(16, 10, 10, 10)
        top.addWidget(Label(self.tr("Conversations"), "title"))
        top.addStretch(1)
        top.addWidget(new.on(self.new_wanted.emit))
        column = bare(QVBoxLayout(self))
        column.addLayout(top)
        field = bare(QVBoxLayout())
        field.setContentsMargins(12, 0, 12, 8)
        field.addWidget(self.search)
        column.addLayout(field)
        column.addWidget(self.list, 1)
        column.addWidget(self._nothing, 1)
        history.listed.connect(self._listed)
        self._listed()

    def mark(self, id: str) -> None:
        """Shows which conversation is open."""
        row = self._history.rows.row_of(id)
        if row >= 0:
            self.list.setCurrentIndex(self._history.rows.index(row))
        else:
            self.list.clearSelection()

    def _listed(self) -> None:
        empty = not self._history.rows.rowCount()
        self._nothing.text.setText(
            self.tr("Nothing found.") if self._history.search else self.tr("What you ask is kept here.")
        )
        self._nothing.setVisible(empty)
        self.list.setVisible(not empty)

    def _open(self, index: QModelIndex) -> None:
        row: ConversationSummary = index.data(Qt.ItemDataRole.UserRole)
        self.opened.emit(row.id)


class _List(QListView):
    """`removal_wanted(id)` by Delete or the menu."""

    removal_wanted = Signal(str)

    def __init__(self, history: History, theme: Theme) -> None:
        super().__init__()
        self.setModel(history.rows)
        self.setItemDelegate(_Painter(theme, self))
        self.setAccessibleName("Conversations")
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.currentIndex().isValid():
            self.removal_wanted.emit(self.currentIndex().data(Qt.ItemDataRole.UserRole).id)
            return
        super().keyPressEvent(event)

    def _menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        if not index.isValid():
            return
        id = index.data(Qt.ItemDataRole.UserRole).id
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Open"), lambda: self.activated.emit(index))
        menu.addAction(self.tr("Remove"), lambda: self.removal_wanted.emit(id))
        menu.popup(self.viewport().mapToGlobal(point))


class _Painter(QStyledItemDelegate):
    """A title, and under it when it was and how many asked."""

    def __init__(self, theme: Theme, parent: QListView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH - 12, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: ConversationSummary = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(8, 1, -8, -1)
        state = option.state
        token = "accent-weak" if state & QStyle.StateFlag.State_Selected else ""
        token = token or ("hover" if state & QStyle.StateFlag.State_MouseOver else "")
        if token:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(token))
            painter.drawRoundedRect(rect, 6, 6)
        words = rect.adjusted(8, 5, -8, -5)
        self._draw(painter, words, harmless.one_line(row.title) or "Untitled", body_font(), "text", top=True)
        lanes = f"{len(row.models)} models" if len(row.models) != 1 else row.models[0].partition("/")[2]
        lanes = lanes if row.models else "blind"
        below = f"{day_of(row.updated)} · {lanes}"
        self._draw(painter, words, below, body_font(12), "muted", top=False)
        painter.restore()

    def _draw(
        self, painter: QPainter, rect: QRectF, text: str, font: QFont, token: str, *, top: bool
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        short = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        side = Qt.AlignmentFlag.AlignTop if top else Qt.AlignmentFlag.AlignBottom
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignLeft, short)


def day_of(moment: datetime, now: datetime | None = None) -> str:
    """“14:05” today, “yesterday”, a weekday this week, else a date."""
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    days = (today - local.date()).days
    if days <= 0:
        return f"{local:%H:%M}"
    if days == 1:
        return "yesterday"
    return f"{local:%A}" if days < 7 else f"{local.day} {local:%b %Y}"
